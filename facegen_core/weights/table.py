"""The table of pretrained networks: names, files, digests, parameter counts, classes and preprocessing."""

from dataclasses import replace

from facegen_core.encoders.base import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from facegen_core.weights.spec import WeightSpec

ARCFACE = Preprocessing(112)
FACENET = Preprocessing(160, std=(128 / 255,) * 3, framing="box")  # (x - 127.5) / 128
CLIP = Preprocessing(
    224, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711), "whole", "bicubic"
)  # as OpenAI released it
_IMAGENET_BOX = Preprocessing(224, IMAGENET_MEAN, IMAGENET_STD, "box")

# HSEmotion's classes are in alphabetical order; "_7" networks know no contempt, "_mtl" ones add two numbers.
HSEMOTION_8 = ("anger", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")
HSEMOTION_7 = tuple(name for name in HSEMOTION_8 if name != "contempt")
HSEMOTION_MTL = (*HSEMOTION_8, "valence", "arousal")
FACE_API_7 = ("neutral", "happy", "sad", "anger", "fear", "disgust", "surprise")

_HSEMOTION = "public repository sb-ai-lab/EmotiEffLib, folder models/affectnet_emotions"
_HSEMOTION_URL = "https://github.com/sb-ai-lab/EmotiEffLib/raw/main/models/affectnet_emotions/"
_FACENET = "release v2.2.9 of timesler/facenet-pytorch"
_FACENET_URL = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
_GLINT = "insightface arcface_torch, folder glint360k_cosface_{}_fp16_0.1"
_PACK = "insightface's ONNX pack {}"
_CLIP_URL = "https://openaipublic.azureedge.net/clip/models/"
_TORCHVISION_URL = "https://download.pytorch.org/models/"
_STABLE_DIFFUSION = "a folder in diffusers' layout, from the Hugging Face hub: {}"


def _facenet(name: str, file: str, people: int) -> WeightSpec:
    classifier = people * 513  # the file also holds the last layer of its training
    return WeightSpec(
        name, file, "identity", _FACENET, "MIT",
        parameters=23_482_624 + classifier, url=_FACENET_URL + file, preprocessing=FACENET,
    )  # fmt: skip


def _hsemotion(name: str, file: str, digest: str, classes: tuple[str, ...], parameters: int | None) -> WeightSpec:
    size = 260 if "_b2_" in file else 224
    preprocessing = Preprocessing(112, framing="box") if "mbf" in file else replace(_IMAGENET_BOX, size=size)
    return WeightSpec(
        name, file.rpartition("/")[2], "emotion", _HSEMOTION, "Apache-2.0", "git" if digest else "none", digest,
        parameters, _HSEMOTION_URL + file, preprocessing, classes,
    )  # fmt: skip


def _glint(depth: str, parameters: int) -> WeightSpec:
    source = _GLINT.format(depth)
    file = f"{source.rpartition(' ')[2]}/backbone.pth"
    return WeightSpec(
        f"glint360k_{depth}", file, "identity", source, "non-commercial", parameters=parameters, preprocessing=ARCFACE
    )


def _clip(model: str, digest: str, parameters: int) -> WeightSpec:
    file = f"{model}.pt"
    return WeightSpec(
        f"clip_{model.lower().replace('-', '_')}", file, "CLIP", "OpenAI's release of CLIP", "MIT", "sha256", digest,
        parameters, f"{_CLIP_URL}{digest}/{file}", CLIP,
    )  # fmt: skip


def _torchvision(name: str, file: str, purpose: str, parameters: int) -> WeightSpec:
    digest = file.removesuffix(".pth").rpartition("-")[2]
    return WeightSpec(
        name, file, purpose, "torchvision, which downloads it itself under TORCH_HOME", "BSD-3-Clause", "sha256",
        digest, parameters, _TORCHVISION_URL + file,
    )  # fmt: skip


def _diffusion(name: str, hub: str, parameters: int, licence: str = "CreativeML OpenRAIL-M") -> WeightSpec:
    return WeightSpec(
        name, hub.rpartition("/")[2], "diffusion", _STABLE_DIFFUSION.format(hub), licence, parameters=parameters
    )


WEIGHTS = {
    spec.name: spec
    for spec in (
        WeightSpec("identity_judge", "identity_judge.safetensors", "identity", "facegen's own package", "Apache-2.0"),
        WeightSpec("emotion_judge", "emotion_judge.safetensors", "emotion", "facegen's own package", "Apache-2.0"),
        WeightSpec("emotion_ldm", "emotion_ldm.safetensors", "diffusion", "facegen's own package", "Apache-2.0"),
        _facenet("facenet_vggface2", "20180402-114759-vggface2.pt", 8631),
        _facenet("facenet_casia", "20180408-102900-casia-webface.pt", 10575),
        WeightSpec(
            "ir_se50", "model_ir_se50.pth", "identity", "drives linked by TreB1eN/InsightFace_Pytorch", "unstated",
            parameters=43_797_696, preprocessing=ARCFACE,
        ),
        _glint("r18", 24_025_600),
        _glint("r34", 34_139_328),
        _glint("r50", 43_590_848),
        _glint("r100", 65_156_160),
        WeightSpec(
            "buffalo_l_r50", "w600k_r50.onnx", "identity", _PACK.format("buffalo_l"), "non-commercial",
            preprocessing=ARCFACE,
        ),
        WeightSpec(
            "antelopev2_r100", "glintr100.onnx", "identity", _PACK.format("antelopev2"), "non-commercial",
            preprocessing=ARCFACE,
        ),
        WeightSpec(
            "mobilefacenet_128", "identity_mobilefacenet_128.onnx", "identity",
            "public repository foamliu/MobileFaceNet, exported to ONNX", "Apache-2.0",
            "sha256", "b7120c095d60094f28a4a54ba6a8bf51b297a6273fb40ef6350dfec1f63d9507",
            preprocessing=Preprocessing(112, IMAGENET_MEAN, IMAGENET_STD),
        ),
        _hsemotion("hsemotion_b0_8_vgaf", "enet_b0_8_best_vgaf.pt", "7219cfb037209b253ea8b81cf969e60a00e9181c",
                   HSEMOTION_8, 4_017_796),
        _hsemotion("hsemotion_b0_8_afew", "enet_b0_8_best_afew.pt", "9540c8beff661f1c2fca16de63b530cce24bb17d",
                   HSEMOTION_8, 4_017_796),
        _hsemotion("hsemotion_b0_8_mtl", "enet_b0_8_va_mtl.pt", "b7223bd1ab092a1b5a42bc04a5f4fbfe4d9f8b9b",
                   HSEMOTION_MTL, 4_020_358),
        _hsemotion("hsemotion_b2_8", "enet_b2_8.pt", "eed81e6368877e89f8a99cfabadae7c3ddc3a949",
                   HSEMOTION_8, 7_712_266),
        _hsemotion("hsemotion_b2_8_best", "enet_b2_8_best.pt", "", HSEMOTION_8, 7_712_266),
        _hsemotion("hsemotion_b2_7", "enet_b2_7.pt", "", HSEMOTION_7, 7_710_857),
        _hsemotion("hsemotion_mbf_mtl", "mbf_va_mtl.pt", "522bdabca7c655a7abde9cfca17e3dfcceadf9a0",
                   HSEMOTION_MTL, None),
        _hsemotion("hsemotion_b0_8_vgaf_onnx", "onnx/enet_b0_8_best_vgaf.onnx",
                   "49772db4e87ee6df57087fba131832a959e5c64d", HSEMOTION_8, None),
        _hsemotion("hsemotion_b0_8_afew_onnx", "onnx/enet_b0_8_best_afew.onnx",
                   "d87faf71e8756d68c701ffd88b4cde4be460f57d", HSEMOTION_8, None),
        _hsemotion("hsemotion_b0_8_mtl_onnx", "onnx/enet_b0_8_va_mtl.onnx", "", HSEMOTION_MTL, None),
        _hsemotion("hsemotion_b2_8_onnx", "onnx/enet_b2_8.onnx", "", HSEMOTION_8, None),
        _hsemotion("hsemotion_b2_7_onnx", "onnx/enet_b2_7.onnx", "", HSEMOTION_7, None),
        _hsemotion("hsemotion_mbf_mtl_onnx", "onnx/mbf_va_mtl.onnx",
                   "194db927ec135679e5cd0a267c5605e2e9d68e7e", HSEMOTION_MTL, None),
        WeightSpec(
            "faceapi_7", "emotion_faceapi_7.onnx", "emotion", "face-api.js expression net, converted to ONNX", "MIT",
            "sha256", "490cef66b67053b114b73eef354a9ac570b93c5b1457f13981d378ee5dfee12f",
            preprocessing=Preprocessing(112, (0.0,) * 3, (1 / 255,) * 3, "square"),
            classes=FACE_API_7, probabilities=True,
        ),
        _clip("ViT-B-32", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af", 151_277_313),
        _clip("ViT-B-16", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f", 149_620_737),
        _clip("ViT-L-14", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836", 427_616_513),
        _torchvision("alexnet", "alexnet-owt-7be5be79.pth", "LPIPS", 61_100_840),
        _torchvision("vgg16", "vgg16-397923af.pth", "LPIPS", 138_357_544),
        _torchvision("squeezenet", "squeezenet1_1-b8a52dc0.pth", "LPIPS", 1_235_496),
        WeightSpec(
            "inception_fid", "weights-inception-2015-12-05-6726825d.pth", "FID, KID",
            "torch-fidelity, which downloads it itself under TORCH_HOME", "Apache-2.0", "sha256", "6726825d",
            url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
            "weights-inception-2015-12-05-6726825d.pth",
        ),
        WeightSpec(
            "fan_2d", "2DFAN4_1.6-c827573f02.zip", "landmarks", "package face-alignment, which downloads it",
            "BSD-3-Clause", url="https://www.adrianbulat.com/downloads/python-fan/2DFAN4_1.6-c827573f02.zip",
        ),
        _diffusion("stable_diffusion_1_4", "CompVis/stable-diffusion-v1-4", 859_520_964),
        _diffusion("stable_diffusion_1_5", "stable-diffusion-v1-5/stable-diffusion-v1-5", 859_520_964),
        _diffusion("stable_diffusion_2_1_base", "stabilityai/stable-diffusion-2-1-base", 865_910_724,
                   "CreativeML OpenRAIL++-M"),
        _diffusion("realistic_vision_4", "SG161222/Realistic_Vision_V4.0_noVAE", 859_520_964),
        _diffusion("controlnet_openpose", "lllyasviel/control_v11p_sd15_openpose", 361_279_120),
    )
}  # fmt: skip
