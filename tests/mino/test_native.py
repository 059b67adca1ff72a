"""What PyTorch can do with a module it can do with every kind of mu: one test an ability, over four kinds."""

import copy
import inspect
import io
import os
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

import mino

DEFINITIONS = """
(import torch torch.nn :as nn)
(defmu Linear [x weights bias] (-> x (@ weights) (+ bias)))
(defmu Net [x first-layer second scale] (-> x first-layer torch.sigmoid second (* scale)))
(defmu Tied [x encode decode] (-> x (@ encode) torch.tanh (@ (.t decode))))
(defn linear [n m] (Linear :weights (nn.Parameter (torch.randn n m)) :bias (torch.randn m)))
"""

KINDS = {
    "defined": "(linear 4 4)",
    "anonymous": "(bind (mu [x w b] (-> x (@ w) (+ b))) :w (nn.Parameter (torch.randn 4 4)) :b (torch.randn 4))",
    "nested": "(Net :first-layer (linear 4 3) :second (nn.Linear 3 4) :scale 2.0)",
    "tied": "(let [w (nn.Parameter (torch.randn 4 3))] (Tied :encode w :decode w))",
}

X = torch.linspace(-1, 1, 8).reshape(2, 4)


@pytest.fixture(params=KINDS)
def model(run, request):
    torch.manual_seed(0)
    run(DEFINITIONS)
    return run(KINDS[request.param])


def outputs_equal(one, other, x=X):
    return torch.equal(one(x), other(x))


def is_tied(model):
    return getattr(model, "encode", None) is getattr(model, "decode", None)


def test_to_dtype(model):
    assert model.to(torch.float64)(X.double()).dtype == torch.float64
    assert {value.dtype for value in model.state_dict().values()} == {torch.float64}


def test_to_device(model):
    assert model.to("meta")(X.to("meta")).is_meta
    assert all(value.is_meta for value in model.state_dict().values())


def test_state_dict_round_trip(model):
    other = copy.deepcopy(model)
    with torch.no_grad():
        for value in other.state_dict().values():
            value.zero_()
    assert not outputs_equal(other, model)
    other.load_state_dict(model.state_dict())
    assert outputs_equal(other, model)
    assert set(model.state_dict()) == {
        *dict(model.named_parameters(remove_duplicate=False)),
        *dict(model.named_buffers()),
    }


def test_deepcopy(model):
    other = copy.deepcopy(model)
    assert type(other) is type(model)
    assert outputs_equal(other, model)
    assert not {id(p) for p in other.parameters()} & {id(p) for p in model.parameters()}
    assert is_tied(other)


def test_copy_shares(model):
    other = copy.copy(model)
    assert [id(p) for p in other.parameters()] == [id(p) for p in model.parameters()]


def test_pickle(model):
    other = pickle.loads(pickle.dumps(model))
    assert outputs_equal(other, model)
    assert repr(other).partition("C:")[2].splitlines()[:2] == repr(model).partition("C:")[2].splitlines()[:2]
    assert is_tied(other)


def test_torch_save(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    other = torch.load(file, weights_only=False)
    assert outputs_equal(other, model)
    assert is_tied(other)


def test_compile(model):
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(X), model(X))


def test_export(model):
    assert torch.allclose(torch.export.export(model, (X,)).module()(X), model(X))


def test_symbolic_trace(model):
    traced = torch.fx.symbolic_trace(nn.Sequential(model))
    assert torch.equal(traced(X), model(X))
    assert [id(p) for p in traced.parameters()] == [id(p) for p in model.parameters()]


def test_symbolic_trace_of_the_mu_itself_says_what_to_trace(model):
    with pytest.raises(TypeError, match=r"^torch.fx takes every component .*: trace \(torch.nn.Sequential m\)"):
        torch.fx.symbolic_trace(model)


def test_functional_call(model):
    values = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    zeros = {name: torch.zeros_like(value) for name, value in values.items()}
    assert not torch.func.functional_call(model, zeros, (X,)).any()
    assert model(X).any()


def test_vmap(model):
    assert torch.allclose(torch.func.vmap(model)(X), model(X), atol=1e-6)


def test_gradients_by_functional_grad(model):
    parameters = dict(model.named_parameters())
    gradients = torch.func.grad(lambda p: torch.func.functional_call(model, p, (X,)).sum())(parameters)
    model(X).sum().backward()
    for name, parameter in parameters.items():
        assert torch.allclose(gradients[name], parameter.grad)


def test_forward_hooks(model):
    seen = []
    plain = model(X)
    model.register_forward_pre_hook(lambda _, arguments: seen.append(arguments))
    model.register_forward_hook(lambda _, arguments, output: output + 1)
    assert torch.equal(model(X), plain + 1)
    assert len(seen) == 1


def test_backward_hooks(model):
    seen = []
    model.register_full_backward_hook(lambda _, inputs, outputs: seen.append((inputs[0].shape, outputs[0].shape)))
    model(X.clone().requires_grad_()).sum().backward()
    assert seen == [(X.shape, X.shape)]


def test_share_memory(model):
    model.share_memory()
    assert all(value.is_shared() for value in model.state_dict().values())


def test_sequential(model):
    chain = nn.Sequential(model, nn.Tanh(), mino.bind(model))
    assert torch.equal(chain(X), model(torch.tanh(model(X))))
    assert [id(p) for p in chain.parameters()] == [id(p) for p in model.parameters()]


def test_train_and_eval(model):
    assert not model.eval().training
    assert not mino.bind(model).training


def test_requires_grad(model):
    model.requires_grad_(False)
    assert not model(X).requires_grad


DISTRIBUTED = """
import os, sys, hy, torch
torch.distributed.init_process_group("gloo", init_method=f"file://{sys.argv[1]}", rank=0, world_size=1)
for number, text in enumerate(sys.argv[3:]):
    namespace = {"__name__": f"text_{number}"}
    for form in hy.read_many("(require mino.mu * mino.thread *)" + sys.argv[2] + text):
        model = hy.eval(form, namespace)
    x = torch.linspace(-1, 1, 8).reshape(2, 4)
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    assert torch.equal(parallel(x), model(x))
    parallel(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    print("trained", flush=True)
os._exit(0)
"""


def test_distributed_data_parallel(tmp_path):
    """In a process that ends without taking gloo down, which sometimes waits for itself there."""
    # The loopback interface by name: gloo would look the host's up, which a machine without a network may never answer.
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0"}
    command = [sys.executable, "-c", DISTRIBUTED, str(tmp_path / "rendezvous"), DEFINITIONS, *KINDS.values()]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert told.stdout.split() == ["trained"] * len(KINDS), told.stderr


def test_parametrizations(model):
    name = next(name for name, _ in model.named_parameters())
    owner = model.get_submodule(name.rpartition(".")[0])
    nn.utils.parametrizations.weight_norm(owner, name.rpartition(".")[2])
    assert model(X).shape == X.shape


def test_subclassing_in_hy(run):
    run(DEFINITIONS)
    model = run("""
        (defclass Doubled [Linear]
          (defn __init__ [self factor #** components]
            (.__init__ (super) #** components)
            (setv self.factor factor))
          (defn forward [self x]
            (* self.factor (.forward (super) x))))
        (Doubled 2 :weights (torch.eye 4) :bias (torch.zeros 4))""")
    assert torch.equal(model(X), 2 * X)
    assert torch.equal(mino.bind(model, bias=torch.ones(4))(X), 2 * (X + 1))
    assert str(inspect.signature(model)) == "(x)"
    assert str(inspect.signature(type(model))) == "(factor, **components)"


def test_subclassing_in_python(run):
    run(DEFINITIONS)

    class Shifted(run("Linear")):
        def forward(self, x):
            return super().forward(x) + 1

    assert torch.equal(Shifted(weights=torch.eye(4), bias=torch.zeros(4))(X), X + 1)
