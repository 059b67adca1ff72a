"""Every public class of torch.nn: its instances become calls of its constructor that make them, or are refused."""

import warnings

import pytest
import torch
import torch.nn.utils.prune
from torch import nn

import mino

VECTOR = (torch.linspace(-2, 2, 8).reshape(2, 4),)
IMAGE = {n: (torch.linspace(-1, 1, 2 * 4 * 6**n).reshape(2, 4, *[6] * n),) for n in (1, 2, 3)}
PAIR = (VECTOR[0].sigmoid(), VECTOR[0].flip(0).sigmoid())
TOKENS = (torch.tensor([[1, 2], [3, 0]]),)
SEQUENCE = (torch.linspace(-1, 1, 24).reshape(3, 2, 4),)
CLASSES = (VECTOR[0], torch.tensor([1, 3]))


def each(dimensions, *cases):
    """For each number of dimensions, what a case makes of it."""
    return [case(n) for n in dimensions for case in cases]


def named(name, n, *arguments, **options):
    return lambda: getattr(nn, f"{name}{n}d")(*arguments, **options)


# Instances of every class, with inputs for those that can be called.
CASES = [
    *(
        (lambda made=made: made(), VECTOR)
        for made in (
            nn.CELU,
            nn.ELU,
            nn.GELU,
            nn.GLU,
            nn.Hardshrink,
            nn.Hardsigmoid,
            nn.Hardswish,
            nn.Hardtanh,
            nn.Identity,
            nn.LeakyReLU,
            nn.LogSigmoid,
            nn.Mish,
            nn.PReLU,
            nn.RReLU,
            nn.ReLU,
            nn.ReLU6,
            nn.SELU,
            nn.SiLU,
            nn.Sigmoid,
            nn.Softplus,
            nn.Softshrink,
            nn.Softsign,
            nn.Tanh,
            nn.Tanhshrink,
            nn.Dropout,
            nn.AlphaDropout,
            nn.FeatureAlphaDropout,
            nn.Flatten,
        )
    ),
    *(
        (lambda made=made: made(), PAIR)
        for made in (
            nn.BCELoss,
            nn.BCEWithLogitsLoss,
            nn.CosineSimilarity,
            nn.HingeEmbeddingLoss,
            nn.HuberLoss,
            nn.KLDivLoss,
            nn.L1Loss,
            nn.MSELoss,
            nn.MultiLabelSoftMarginLoss,
            nn.PairwiseDistance,
            nn.PoissonNLLLoss,
            nn.SmoothL1Loss,
            nn.SoftMarginLoss,
        )
    ),
    *((lambda made=made: made(), (*PAIR, PAIR[0].mean(1))) for made in (nn.CosineEmbeddingLoss,)),
    *(
        (lambda made=made: made(), (*PAIR, PAIR[0]))
        for made in (
            nn.GaussianNLLLoss,
            nn.MarginRankingLoss,
            nn.TripletMarginLoss,
            nn.TripletMarginWithDistanceLoss,
        )
    ),
    *((lambda made=made: made(), CLASSES) for made in (nn.CrossEntropyLoss, nn.MultiMarginLoss, nn.NLLLoss)),
    (lambda: nn.MultiLabelMarginLoss(), (VECTOR[0], torch.tensor([[0, 1, -1, 0], [2, -1, 0, 0]]))),
    (lambda: nn.CTCLoss(blank=1, zero_infinity=True),),
    (lambda: nn.CTCLoss(),),
    (lambda: nn.CELU(0.5, True), (VECTOR[0].clone(),)),
    (lambda: nn.GELU("tanh"), VECTOR),
    (lambda: nn.Hardtanh(-2, 0.5), VECTOR),
    (lambda: nn.PReLU(4, dtype=torch.float64), (VECTOR[0].double(),)),
    (lambda: nn.Dropout(p=0.25, inplace=True),),
    *((named("Dropout", n, 0.3), IMAGE[n]) for n in (1, 2, 3)),
    (lambda: nn.Threshold(0.1, 2.0), VECTOR),
    *((lambda made=made: made(dim=1), VECTOR) for made in (nn.Softmax, nn.Softmin, nn.LogSoftmax)),
    (lambda: nn.Softmax(),),
    (lambda: nn.Softmax2d(), IMAGE[2]),
    (lambda: nn.Linear(4, 3), VECTOR),
    (lambda: nn.Linear(4, 3, bias=False), VECTOR),
    (lambda: nn.Linear(4, 3, dtype=torch.float16, device="meta"),),
    (lambda: nn.Bilinear(4, 4, 3), PAIR),
    (lambda: nn.BCEWithLogitsLoss(torch.ones(4), pos_weight=torch.full((4,), 2.0), reduction="sum"), PAIR),
    (lambda: nn.CrossEntropyLoss(torch.ones(4), ignore_index=2, label_smoothing=0.1), CLASSES),
    (lambda: nn.NLLLoss(torch.ones(4), reduction="none"), CLASSES),
    (lambda: nn.MSELoss(size_average=False), PAIR),
    (lambda: nn.TripletMarginWithDistanceLoss(distance_function=nn.functional.pairwise_distance, margin=2.0),),
    (lambda: nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(p=1.0)),),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6], div_value=2.0, head_bias=True), CLASSES),
    (lambda: nn.LinearCrossEntropyLoss(4, 5, bias=True), CLASSES),
    (lambda: nn.LinearCrossEntropyLoss(4, 5), CLASSES),
    (lambda: nn.Embedding(5, 3), TOKENS),
    (lambda: nn.Embedding(5, 3, padding_idx=-1, max_norm=1.0, sparse=True), TOKENS),
    (lambda: nn.Embedding.from_pretrained(torch.ones(5, 3)), TOKENS),
    (lambda: nn.EmbeddingBag(5, 3, mode="max", padding_idx=0), TOKENS),
    (lambda: nn.EmbeddingBag(5, 3, include_last_offset=True),),
    *((named("Conv", n, 4, 2, 3), IMAGE[n]) for n in (1, 2, 3)),
    *((named("Conv", n, 4, 2, 3, padding="same", bias=False, padding_mode="circular"), IMAGE[n]) for n in (1, 2, 3)),
    (lambda: nn.Conv2d(4, 4, (3, 2), stride=(1, 2), dilation=2, groups=2, padding=(1, 0)), IMAGE[2]),
    *((named("ConvTranspose", n, 4, 2, 3, 2, 1, 1), IMAGE[n]) for n in (1, 2, 3)),
    *((named(name, n, 4), IMAGE[n]) for n in (1, 2, 3) for name in ("BatchNorm", "InstanceNorm")),
    *((named("InstanceNorm", n, 4, affine=True, track_running_stats=True), IMAGE[n]) for n in (1, 2, 3)),
    (lambda: nn.BatchNorm1d(4, 1e-3, momentum=None, affine=False, track_running_stats=False), IMAGE[1]),
    (lambda: nn.BatchNorm2d(4, bias=False), IMAGE[2]),
    (lambda: nn.SyncBatchNorm(4),),
    (lambda: nn.GroupNorm(2, 4), IMAGE[2]),
    (lambda: nn.GroupNorm(2, 4, affine=False), IMAGE[2]),
    (lambda: nn.LayerNorm(4), VECTOR),
    (lambda: nn.LayerNorm([6, 6], bias=False, eps=1e-3), IMAGE[2]),
    (lambda: nn.LayerNorm(4, elementwise_affine=False), VECTOR),
    (lambda: nn.RMSNorm(4), VECTOR),
    (lambda: nn.RMSNorm((6, 6), eps=1e-4), IMAGE[2]),
    (lambda: nn.LocalResponseNorm(2), IMAGE[2]),
    (lambda: nn.CrossMapLRN2d(2), IMAGE[2]),
    *((named("MaxPool", n, 2), IMAGE[n]) for n in (1, 2, 3)),
    *((named("MaxPool", n, 3, 2, 1, ceil_mode=True, return_indices=True), IMAGE[n]) for n in (1, 2, 3)),
    *((named("AvgPool", n, 2), IMAGE[n]) for n in (1, 2, 3)),
    *((named("AvgPool", n, 3, stride=1, padding=1, count_include_pad=False), IMAGE[n]) for n in (1, 2, 3)),
    *((named("LPPool", n, 2.0, 2), (IMAGE[n][0].abs(),)) for n in (1, 2, 3)),
    *((named(f"Adaptive{kind}Pool", n, 2), IMAGE[n]) for n in (1, 2, 3) for kind in ("Avg", "Max")),
    (lambda: nn.AdaptiveAvgPool2d((None, 2)), IMAGE[2]),
    *((named("FractionalMaxPool", n, 2, output_size=3), IMAGE[n]) for n in (2, 3)),
    (lambda: nn.FractionalMaxPool2d((2, 2), output_ratio=0.5), IMAGE[2]),
    *((named("MaxUnpool", n, 2),) for n in (1, 2, 3)),
    *(
        (named(f"{kind}Pad", n, 1), IMAGE[n])
        for n in (1, 2, 3)
        for kind in ("Reflection", "Replication", "Circular", "Zero")
    ),
    *((named("ConstantPad", n, 1, 0.5), IMAGE[n]) for n in (1, 2, 3)),
    (lambda: nn.ZeroPad2d((1, 0, 2, 1)), IMAGE[2]),
    (lambda: nn.Upsample(scale_factor=2), IMAGE[2]),
    (lambda: nn.Upsample(size=(3, 8), mode="bilinear", align_corners=True), IMAGE[2]),
    (lambda: nn.UpsamplingBilinear2d(scale_factor=2), IMAGE[2]),
    (lambda: nn.UpsamplingNearest2d(size=9), IMAGE[2]),
    (lambda: nn.PixelShuffle(2), IMAGE[2]),
    (lambda: nn.PixelUnshuffle(2), IMAGE[2]),
    (lambda: nn.ChannelShuffle(2), IMAGE[2]),
    (lambda: nn.Fold((4, 5), (2, 2)),),
    (lambda: nn.Unfold(2, stride=2), IMAGE[2]),
    (lambda: nn.Unflatten(1, (2, 2)), VECTOR),
    *((lambda made=made: made(4, 3), SEQUENCE) for made in (nn.RNN, nn.LSTM, nn.GRU)),
    (lambda: nn.RNN(4, 3, 2, nonlinearity="relu", bias=False, dropout=0.5), SEQUENCE),
    (lambda: nn.LSTM(4, 3, num_layers=2, batch_first=True, bidirectional=True, proj_size=2), SEQUENCE),
    *((lambda made=made: made(4, 3), VECTOR) for made in (nn.RNNCell, nn.LSTMCell, nn.GRUCell)),
    (lambda: nn.RNNCell(4, 3, bias=False, nonlinearity="relu"), VECTOR),
    (lambda: nn.RNNBase("LSTM", 4, 3),),
    (lambda: nn.RNNCellBase(4, 3, True, 4),),
    (lambda: nn.MultiheadAttention(4, 2), SEQUENCE * 3),
    (lambda: nn.MultiheadAttention(4, 2, 0.1, False, True, True, kdim=3, vdim=5, batch_first=True),),
    (lambda: nn.TransformerEncoderLayer(4, 2, 8), SEQUENCE),
    (lambda: nn.TransformerEncoderLayer(4, 2, 8, 0.2, "gelu", 1e-4, True, True, False), SEQUENCE),
    (lambda: nn.TransformerDecoderLayer(4, 2, 8, activation=nn.functional.silu), SEQUENCE * 2),
    (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2), SEQUENCE),
    (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2, nn.LayerNorm(4)),
        SEQUENCE,
    ),
    (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), 1, None, False, False),),
    (lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 2, nn.LayerNorm(4)), SEQUENCE * 2),
    (lambda: nn.Transformer(4, 2, 1, 2, 8), SEQUENCE * 2),
    (lambda: nn.Transformer(4, 2, 1, 1, 8, 0.0, "gelu", None, None, 1e-4, True, True, False, dtype=torch.float64),),
    *((named("LazyConv", n, 2, 3),) for n in (1, 2, 3)),
    *((named("LazyConvTranspose", n, 2, 3, bias=False),) for n in (1, 2, 3)),
    *((named(f"Lazy{kind}Norm", n),) for n in (1, 2, 3) for kind in ("Batch", "Instance")),
    (lambda: nn.LazyLinear(3),),
    (lambda: nn.Module(),),
    (lambda: nn.Container(),),
    (lambda: nn.DataParallel(nn.Linear(4, 3)), VECTOR),
    (lambda: nn.NLLLoss2d(),),
    (lambda: nn.Sequential(nn.Linear(4, 3), nn.Tanh()), VECTOR),
    (lambda: nn.Sequential(),),
    (lambda: nn.ModuleList([nn.Linear(4, 3), nn.Tanh()]),),
    (lambda: nn.ModuleDict({"b": nn.Linear(4, 3), "a": nn.Tanh()}),),
    (lambda: nn.ParameterList([nn.Parameter(torch.ones(3)), 4]),),
    (lambda: nn.ParameterDict({"b": nn.Parameter(torch.ones(3)), "a": nn.Parameter(torch.ones(()))}),),
    *((lambda made=made: made(),) for made in (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)),
]


def made(case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(1)
        return case[0](), case[1] if len(case) > 1 else ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(made(case)[0]).__name__)
@pytest.mark.filterwarnings("ignore")
def test_it_is_made_again(case, revive):
    model, inputs = made(case)
    again = revive(model, *inputs)
    assert repr(again) == repr(model)
    assert repr(mino.revive(mino.form(model.eval()))) == repr(model)


def test_every_class_is_among_them():
    classes = {name for name, each in vars(nn).items() if isinstance(each, type) and issubclass(each, nn.Module)}
    covered = {type(made(case)[0]).__name__ for case in CASES}
    print(f"{len(classes & covered)} of {len(classes)} classes of torch.nn are written")
    assert classes == covered


# What no call describes.
def replaced(layer, **attributes):
    for name, value in attributes.items():
        setattr(layer, name, value)
    return layer


def hooked(layer, register):
    getattr(layer, register)(lambda *_: None)
    return layer


class Own(nn.Linear):
    pass


REFUSED = [
    (lambda: nn.Container(a=nn.ReLU()), "model has other sub-modules: a"),
    (lambda: Own(2, 2), r"model is a \S+\.Own, whose constructor's arguments are not known"),
    (lambda: nn.Sequential(nn.ReLU(), Own(2, 2)), r"model\[1\] is a \S+\.Own, "),
    (lambda: nn.ModuleDict({"a": nn.ModuleList([Own(2, 2)])}), r'model\["a"\]\[0\] is a '),
    (lambda: replaced(nn.Linear(2, 2), tag=1), "model was given an attribute tag"),
    (lambda: replaced(nn.Linear(2, 2), forward=torch.relu), "model was given an attribute forward"),
    (lambda: replaced(nn.Linear(2, 2), extra=nn.ReLU()), "model has other sub-modules: extra"),
    (lambda: replaced(nn.Linear(2, 2), extra=nn.Parameter(torch.ones(1))), "model has other parameters: weight, bias,"),
    (lambda: replaced(nn.BatchNorm1d(2), _non_persistent_buffers_set={"running_mean"}), "model has other buffers that"),
    *(
        (lambda name=name: hooked(nn.Linear(2, 2), f"register_{name}"), said)
        for name, said in (
            ("forward_hook", "model has forward hooks"),
            ("forward_pre_hook", "model has forward pre hooks"),
            ("full_backward_hook", "model has backward hooks"),
            ("state_dict_post_hook", "model has state dict hooks"),
            ("load_state_dict_post_hook", "model has load state dict post hooks"),
        )
    ),
    (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)), "model is a .*ParametrizedLinear"),
    (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2)), "model is a .*ParametrizedLinear"),
    (lambda: nn.utils.weight_norm(nn.Linear(2, 2)), "model has forward pre hooks"),
    (lambda: nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", 0.5), "model has forward pre hooks"),
    (lambda: torch.ao.nn.quantized.Linear(2, 2), "model is a torch.ao.nn.quantized"),
    (lambda: torch.jit.script(nn.Linear(2, 2)), "model is a torch.jit"),
    (lambda: torch.fx.symbolic_trace(nn.Linear(2, 2)), "model is a torch.fx.graph_module.GraphModule"),
]


@pytest.mark.parametrize(("make", "said"), REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_what_is_refused(make, said):
    with pytest.raises(mino.Irreversible, match=said):
        mino.form(make())


def test_what_torch_compiles_is_written_as_it_was(revive):
    """Compiling marks a module, and changes nothing of it."""
    layer = nn.Linear(2, 3)
    before = mino.form(layer)
    torch.compile(layer, backend="eager")
    layer.compile(backend="eager")
    assert mino.form(layer) == before
