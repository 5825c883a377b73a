"""The ``facegen`` command. Heavy imports wait until a command needs them, so help and mistakes are answered at once."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments import EXPERIMENTS, papers, stages
from experiments.population import LAYOUTS, population, usual
from facegen_core.errors import FacegenError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit code: 0, or 2 for a user's mistake, told in one message on standard error. A training that SIGTERM or
        Ctrl-C stopped ends with 143 or 130 once its step is saved.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files are not always text
    if "--quiet" in words:  # wherever it stands
        os.environ["FACEGEN_QUIET"] = "1"
        words = [word for word in words if word != "--quiet"]
    arguments = _parse(words)
    try:
        arguments.run(arguments)
    except FacegenError as error:
        print(f"facegen: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        print(f"facegen: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """Argparse gives up on words that follow an option in their midst; those are put back where they belong."""
    parser = _parser()
    arguments, left_over = parser.parse_known_args(argv)
    if left_over and (not hasattr(arguments, "words") or any(word.startswith("-") for word in left_over)):
        parser.error(f"unrecognized arguments: {' '.join(left_over)}")
    if left_over:
        arguments.words = [*arguments.words, *left_over]
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="facegen", description="Five face-generation papers under one roof.")
    parser.add_argument("--quiet", action="store_true", help="log lines instead of progress bars")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run, text: str, **kwargs):  # type: ignore[no-untyped-def]
        command = commands.add_parser(name, help=text, description=text, **kwargs)
        command.set_defaults(run=run)
        return command

    codes = (
        "exit codes: 0 done, 2 a mistake or a loss that is not finite, 143 and 130 stopped by SIGTERM or Ctrl-C; "
        "--quiet prints log lines instead of bars"
    )
    words = "profile=paper|demo|smoke, resume=last|RUN|CHECKPOINT, and any key=value of the configuration"
    for name, run, text in (
        ("train", _train, "train one stage, or resume it"),
        ("evaluate", _evaluate, "measure a trained run on held-out data"),
    ):
        command = add(name, run, text, epilog=codes)
        command.add_argument("stage", choices=sorted(stages()))
        command.add_argument(
            "words", nargs="*", metavar="key=value", help=words if name == "train" else "run=last|RUN|CHECKPOINT"
        )
    command = add("reproduce", _reproduce, "train and measure all rows of a paper's tables, ours beside the published")
    command.add_argument("paper", choices=sorted(papers()))
    command.add_argument("--table", metavar="N", help="emotion_ldm: 1, 3, 4, 5 or truth, several by commas; all")
    command.add_argument("--shard", metavar="I/N", help="emotion_ldm: the I-th of N processes that share the work")
    command.add_argument(
        "words",
        nargs="*",
        metavar="key=value",
        help="profile=paper|demo|smoke, label=NAME of the result, note=TEXT on the data, publish=true to put it on the "
        "paper's page here, key=value for all stages that have the key, STAGE.key=value for one",
    )
    _add_generate(commands)
    _add_convert(commands)
    _add_edit(commands)
    command = add("export", _export, "write a trained run's networks as files of their own, with a card on each")
    exported = (name for name, (_, stage) in stages().items() if hasattr(stage, "export"))
    command.add_argument("stage", choices=sorted(exported))
    command.add_argument("words", nargs="*", metavar="key=value", help="run=last|RUN|CHECKPOINT, out=FOLDER")
    _add_measure(commands)
    _add_data(commands)
    _add_weights(commands)
    command = add("compare", _compare, "a table of runs and their measures")
    command.add_argument("--outputs", type=Path, default=Path("outputs"))
    command = add("dashboard", _dashboard, "open the MLflow dashboard on the runs recorded here")
    command.add_argument("--outputs", type=Path, default=Path("outputs"))
    command.add_argument("--port", type=int, default=5000)
    add("doctor", _doctor, "versions, devices, free memory and disk, weights and data found")
    return parser


def _add_generate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "make new faces with trained models, as files other programs open"
    papers = commands.add_parser("generate", help=text, description=text).add_subparsers(metavar="PAPER", required=True)
    text = "textured 3D faces: .obj and .glb, a picture of each, a turntable of each person, and one sheet of all"
    face3d = papers.add_parser("face3d", help=text, description=text)
    option = face3d.add_argument
    option("--out", type=Path, required=True, help="folder to write to")
    option("--people", type=int, default=4, help="how many new people; 4")
    option("--seed", type=int, default=0, help="which people; 0")
    option("--expression", metavar="TEXT", help="'smile', '0.6*smile+anger', 'AU06+AU12', several by commas, 'all'")
    option("--intensity", metavar="LEVELS", default="1", help="1 is as trained: '1', '0,0.5,1', '0:1.5:5'")
    option("--style", type=int, metavar="N", help="number of the person in whose way all make their expressions")
    option("--shape", metavar="RUN", default="last", help="run of shape_cgan: last, name, folder or checkpoint")
    option("--texture", metavar="RUN", default="last", help="run of texture_progan likewise; 'none': plain skin")
    option("--pixels", type=int, default=512, help="side of the pictures; 512")
    option("--texture-pixels", type=int, help="side of the texture maps; twice that of the network's faces")
    option("--outputs", default="outputs", help="folder of all runs")
    face3d.set_defaults(run=_generate_face3d)


def _add_convert(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "networks trained with a paper's own code to runs of facegen, and back"
    papers = commands.add_parser("convert", help=text, description=text).add_subparsers(metavar="PAPER", required=True)
    text = "CompVis' checkpoints: first stages of taming-transformers, latent diffusions as the original release's"
    emotion_ldm = papers.add_parser("emotion_ldm", help=text, description=text)
    option = emotion_ldm.add_argument
    option("--first-stage", metavar="FILE", help="first stage's checkpoint; not needed where the denoiser's holds it")
    option("--denoiser", metavar="FILE", help="latent diffusion's checkpoint")
    option("--out", type=Path, required=True, help="folder of runs to add to, then given as outputs=; or of files")
    ways = "compvis, or file, one of both networks in half precision: FILE is a run of facegen"
    option("--to", choices=["facegen", "compvis", "file"], default="facegen", help=ways)
    option("--pixels", type=int, default=128, help="side of the pictures a first stage was trained on; 128")
    option("--head-channels", type=int, default=32, help="channels of a denoiser's attention head; 32")
    option("--outputs", default="outputs", help="folder of all runs")
    emotion_ldm.set_defaults(run=_convert_emotion_ldm)


def _add_edit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "change the faces of photographs with trained models"
    papers = commands.add_parser("edit", help=text, description=text).add_subparsers(metavar="PAPER", required=True)
    text = "change the emotion of faces; each is put back into its photograph, which stays as it is around the face"
    codes = "exit codes: 0 all were edited, 2 a mistake, or a photograph that has no face or cannot be read"
    emotion_ldm = papers.add_parser("emotion_ldm", help=text, description=text, epilog=codes)
    option = emotion_ldm.add_argument
    option("inputs", nargs="+", metavar="IN", help="photographs, folders of them, or patterns such as 'photos/*.jpg'")
    option("out", type=Path, metavar="OUT", help="picture to write; a folder where there are several photographs")
    option("--emotion", required=True, metavar="NAMES", help="what faces shall show; several with commas between")
    option("--source", metavar="NAME", help="what they show; the judge tells")
    option("--judge", default="judge", help="the judge: judge, a name of `facegen weights list`, or a file")
    option("--face", default="all", metavar="N", help="which face, counted from 0 for the largest; all")
    option("--strength", type=int, default=500, help="time t0 to which a face is inverted; 500")
    option("--guidance", type=float, default=5.0, help="gamma; 5")
    option("--steps", type=int, default=40, help="there and back; 40")
    option("--eta", type=float, default=0.0, help="new noise on the way back, 0 to 1; 0")
    option("--inversion-guidance", choices=["same", "none"], default="same", help="guidance on the way there; same")
    option(
        "--at",
        choices=["destination", "origin"],
        default="destination",
        help="time the network is told in a step there: where the step leads, or where it begins; destination",
    )
    option("--model", "--run", metavar="RUN", default="last", help="of emotion_ldm; last, or shipped if none is")
    option("--tuned", metavar="RUN", help="of emotion_clip, tuned for this edit; brings faces back")
    option("--overwrite", action="store_true", help="replace results that are there; else they are kept")
    option("--outputs", default="outputs", help="folder of all runs")
    emotion_ldm.set_defaults(run=_edit_emotion_ldm)


def _add_measure(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "the picture metrics on folders of pictures, each with the judge and the protocol it was made with"
    command = commands.add_parser("measure", help=text, description=text)
    option = command.add_argument
    option("pictures", type=Path, help="folder of the pictures")
    option("--against", type=Path, metavar="DIR", help="references, or the truth; by name, else in order")
    option("--source", type=Path, metavar="DIR", help="pictures before they were edited, for counterfactual metrics")
    option("--metrics", metavar="NAMES", help="psnr,ssim,lpips,id_cosine,...; those that need no more than is given")
    option("--identity", default="judge", help="recognition network: judge, a name of `facegen weights list`, a file")
    option("--emotion", default="judge", help="classifier of emotions, likewise")
    option("--clip", default="ViT-B-32-quickgelu", help="open_clip's name of the network for prompts")
    option("--backbone", choices=["alex", "vgg", "squeeze"], default="alex", help="of LPIPS; alex")
    option("--target", metavar="EMOTION", help="what all pictures should show")
    option("--prompt", metavar="TEXT", help="what all pictures should show, in words")
    option("--whole", action="store_true", help="pictures are face crops already; no face is looked for")
    option("--pixels", type=int, help="side that pictures are brought to")
    option("--out", type=Path, metavar="FILE", help="the figures as JSON")
    command.set_defaults(run=_measure)


def _add_data(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    data = commands.add_parser("data", help="write the embedded population, or check a data set")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    write = actions.add_parser("population", help="write embedded people in a real data set's layout")
    option = write.add_argument
    option("--layout", choices=list(LAYOUTS), default="facescape")
    option("--people", type=int, help=f"how many; {usual('people')}")
    option("--seed", type=int, default=0)
    option("--pixels", type=int, help=f"side of the textures or pictures, 16 to 1024; {usual('pixels')}")
    option("--pictures", type=int, help=f"pictures of each person; {usual('pictures')}")
    option("--out", type=Path, required=True)
    write.set_defaults(run=_population)
    sheet = actions.add_parser("sheet", help="one picture with many embedded people, to see what they look like")
    option = sheet.add_argument
    option("--out", type=Path, required=True, help="a .png or .jpg")
    option("--people", type=int, default=24, help="how many; 24")
    option("--columns", type=int, default=8, help="in a row; 8")
    option("--seed", type=int, default=0)
    option("--pixels", type=int, default=192, help="side of each picture, 16 to 1024; 192")
    sheet.set_defaults(run=_sheet)
    check = actions.add_parser("check", help="say what is there and what is missing; with --deep, what cannot be read")
    check.add_argument("folder", type=Path)
    check.add_argument("--deep", action="store_true", help="also read every mesh and picture")
    check.set_defaults(run=_check)
    text = "crop and resize a data set's pictures into the cache that training reads; resumes where it was stopped"
    prepare = actions.add_parser("prepare", help=text, description=text)
    option = prepare.add_argument
    option("folder", type=Path)
    option(
        "--dataset", choices=["auto", "affectnet", "ffhq", "folder"], default="auto", help="auto looks at the folder"
    )
    option("--pixels", type=int, default=128, help="side of the pictures; 128")
    option("--crop", choices=["auto", "as_is", "box", "align"], default="auto", help="auto: the data set's usual one")
    option("--cache", type=Path, help="where to; DIR/.facegen_cache")
    option("--annotation", choices=["manual", "automatic"], default="manual", help="which of AffectNet's old release")
    option("--version", choices=["images", "thumbnails", "in_the_wild"], help="of FFHQ; the first that is there")
    option("--on-bad-sample", choices=["skip", "raise"], default="skip", help="raise: stop at the first bad picture")
    prepare.set_defaults(run=_prepare)


def _add_weights(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "pretrained networks: which there are, what a file is, and getting one"
    weights = commands.add_parser("weights", help=text, description=text)
    actions = weights.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="names, purposes, licences, files, and which were found")
    listing.set_defaults(run=_weights_list)
    check = actions.add_parser("check", help="tell what a file is, and whether it is the published one")
    check.add_argument("name_or_path", metavar="NAME|PATH")
    check.set_defaults(run=_weights_check)
    get = actions.add_parser("get", help="download a network's file into the folder of weights")
    get.add_argument("name", metavar="NAME")
    get.add_argument("--url", default="", help="where to get it instead of where its owners hand it out")
    get.set_defaults(run=_weights_get)


def _train(arguments: argparse.Namespace) -> None:
    from experiments.train import train

    paper, stage = stages()[arguments.stage]
    train(paper, arguments.stage, stage, arguments.words)


def _evaluate(arguments: argparse.Namespace) -> None:
    from experiments.evaluate import evaluate

    paper, stage = stages()[arguments.stage]
    evaluate(paper, arguments.stage, stage, arguments.words)


def _export(arguments: argparse.Namespace) -> None:
    from experiments.export import export

    paper, stage = stages()[arguments.stage]
    export(paper, arguments.stage, stage, arguments.words)


def _reproduce(arguments: argparse.Namespace) -> None:
    given = {"table": arguments.table, "shard": arguments.shard}
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    EXPERIMENTS[arguments.paper].reproduce([*options, *arguments.words])


def _generate_face3d(arguments: argparse.Namespace) -> None:
    from experiments.face3d.generate import Wish, generate

    generate(Wish(**{key: value for key, value in vars(arguments).items() if key in Wish.__annotations__}))


def _convert_emotion_ldm(arguments: argparse.Namespace) -> None:
    from experiments.emotion_ldm.convert import Conversion, convert

    convert(Conversion(**{key: value for key, value in vars(arguments).items() if key in Conversion.__annotations__}))


def _edit_emotion_ldm(arguments: argparse.Namespace) -> None:
    from experiments.emotion_ldm.edit import Wish, edit

    fields = {key: value for key, value in vars(arguments).items() if key in Wish.__annotations__}
    edit(Wish(**fields | {"inputs": tuple(arguments.inputs)}))


def _measure(arguments: argparse.Namespace) -> None:
    from experiments.measure import Measurement, measure

    fields = {key: value for key, value in vars(arguments).items() if key in Measurement.__annotations__}
    names = tuple(filter(None, (arguments.metrics or "").split(",")))
    print(measure(Measurement(**fields | {"metrics": names})))


def _population(arguments: argparse.Namespace) -> None:
    population(arguments.layout, arguments.out, arguments.seed, arguments.people, arguments.pixels, arguments.pictures)


def _sheet(arguments: argparse.Namespace) -> None:
    from facegen_core.population.portrait.gallery import write_sheet

    write_sheet(arguments.out, arguments.people, arguments.columns, arguments.seed, arguments.pixels)


def _check(arguments: argparse.Namespace) -> None:
    from datamodules.prepare.recognise import check

    print(check(arguments.folder, deep=arguments.deep))


def _weights_list(_: argparse.Namespace) -> None:
    from experiments.weights import weights_list

    print(weights_list())


def _weights_check(arguments: argparse.Namespace) -> None:
    from experiments.weights import weights_check

    print(weights_check(arguments.name_or_path))


def _weights_get(arguments: argparse.Namespace) -> None:
    from experiments.weights import weights_get

    print(weights_get(arguments.name, arguments.url))


def _prepare(arguments: argparse.Namespace) -> None:
    from datamodules.prepare.picture_cache import build_picture_cache, choose_framing, open_picture_cache
    from datamodules.prepare.recognise import find_picture_set

    root = arguments.folder
    pictures = find_picture_set(root, arguments.dataset, arguments.annotation, arguments.version)
    framing, policy = choose_framing(pictures, arguments.crop), arguments.on_bad_sample
    folder = arguments.cache or root / ".facegen_cache"
    cache = build_picture_cache(pictures, arguments.pixels, framing, folder, policy)
    print("\n".join([f"{root}: {pictures.title}", *open_picture_cache(cache, policy).report(), f"cache: {cache}"]))


def _compare(arguments: argparse.Namespace) -> None:
    from experiments.compare import compare

    compare(arguments.outputs)


def _dashboard(arguments: argparse.Namespace) -> None:
    from experiments.dashboard import dashboard

    dashboard(arguments.outputs, arguments.port)


def _doctor(arguments: argparse.Namespace) -> None:
    from experiments.doctor import doctor

    print(doctor())


if __name__ == "__main__":
    sys.exit(main())
