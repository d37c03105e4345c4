"""``tune``: photographs of a product in, an adapter, its evidence and a page of pictures out."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from mezzotint import __version__
from mezzotint.conditioning.prompts import Prompts
from mezzotint.errors import UsageError
from mezzotint.evaluation.features import DEFAULT_SIZE, Features, extractor
from mezzotint.files import make_folder, pretty_json, write_atomic
from mezzotint.governance.safety.output.gate import OutputGate
from mezzotint.governance.safety.output.gate import load as load_gate
from mezzotint.making.checked import checked
from mezzotint.making.evaluation import Counted
from mezzotint.making.licensed import licensed_to_tune
from mezzotint.making.prompt import told
from mezzotint.making.tuned.base import Base, base
from mezzotint.making.tuned.captions import check_captions
from mezzotint.making.tuned.cleared import PRIOR, WORK, cleared
from mezzotint.making.tuned.halt import HaltedError, Pictured, heeding, unseen
from mezzotint.making.tuned.judge import Court, Judged, judged
from mezzotint.making.tuned.learn import Lesson, begun_before, check_form, learn, lesson, moments, square, tunable_of
from mezzotint.making.tuned.licences import licence_notes
from mezzotint.making.tuned.passport import passport
from mezzotint.making.tuned.patience import Patient
from mezzotint.making.tuned.prior import pictures_for, prior_scenes
from mezzotint.making.tuned.product import ADAPTER, WORD, check_empty, written
from mezzotint.making.tuned.shoots import Shoots, shoots
from mezzotint.making.tuned.shown import looked_at, sheets
from mezzotint.making.tuned.wish import Wish
from mezzotint.nets.checkpointed import checkpointed
from mezzotint.pretrained.model import load
from mezzotint.training.curve import curve_png
from mezzotint.training.journal import read_journal
from mezzotint.training.run import Watch
from mezzotint.tuning.choose import choose
from mezzotint.tuning.curves import losses_at
from mezzotint.tuning.evidence import real
from mezzotint.tuning.ground import ground_of
from mezzotint.tuning.nearest import Nearest, nearest
from mezzotint.tuning.prompts import PLAIN, asked_of
from mezzotint.tuning.recipe import as_it_is
from mezzotint.tuning.report import Found, document, page
from mezzotint.tuning.separation import Separation, separation
from mezzotint.tuning.warn import warnings
from mezzotint.tuning.words import Subject

PAGE, DOCUMENT, RUN, JOURNAL = "report.html", "tune.json", "run", "journal.jsonl"
CURVE = "The loss, update by update"


@dataclass(frozen=True, eq=False)
class Tuned:
    """What came of it.   adapter: the file, an adapter's or a word's; None where it was stopped before its end.  found:
    the report."""

    folder: Path
    adapter: Path | None
    found: Found | None


def tuned(
    wish: Wish, folder: Path, start: Literal["new", "resume"], watch: Watch, pictured: Pictured = unseen
) -> Tuned:
    """Learns, judges and writes ``folder``: ``adapter.safetensors`` or ``learned_embeds.safetensors``,
    ``report.html``, ``tune.json``, pictures, the run.

    start: "resume" goes on with a folder's run.  watch: of learning; its ``stop`` is asked while pictures are made
    too.  pictured: told of those.
    Raises: UsageError (words; a model that takes no adapters or no text), InputError (photographs, model), ModelError,
    NonFiniteError, StorageError.
    """
    _check_folder(folder, start)
    try:
        return _tuned(wish, folder, start, watch, pictured)
    except HaltedError:
        return Tuned(folder, None, None)


def _check_folder(folder: Path, start: Literal["new", "resume"]) -> None:
    """Raises UsageError for a folder with what was learnt, which is cleared of what an earlier version or a killed run
    left there, and for one without a run to go on with."""
    if written(folder) is not None:
        cleared(folder)
    check_empty(folder)
    # At its end a run has no work left, and is one yet.
    if start == "resume" and not any((folder / place).is_dir() for place in (WORK, RUN)):
        raise UsageError(f"{folder} holds no run of tune to go on with; leave --resume out to begin one")


def _tuned(wish: Wish, folder: Path, start: Literal["new", "resume"], watch: Watch, pictured: Pictured) -> Tuned:
    """The same.  Raises HaltedError where ``watch.stop`` ended it while pictures were made."""
    opened = load(wish.model)
    gate = load_gate()  # before anything is learnt: where it is broken nobody could be shown a picture
    checked([s.name for s in wish.subjects])
    licensed = licensed_to_tune(opened.system, wish.photo_licence, wish.use, wish.licence_mode)
    model = base(opened, wish.device, wish.dtype, wish.size)
    _check_told(model)
    _check_names(model, wish.subjects)
    halves = tunable_of(model, wish.settings.method)
    features = extractor(2 * DEFAULT_SIZE)
    side = square(model)
    photos = shoots(wish, side, features)
    check_captions(photos.captions)
    licensed = (*licensed, *licence_notes(opened.system, wish.use), *_owner_notes(wish.photo_licence))
    notes = (*licensed, *_method_notes(wish), *photos.notes)
    for note in notes:
        watch.say(note)
    check_form(model, halves, photos.learnt, wish.settings)
    work = make_folder(folder / WORK)
    count = 0 if wish.settings.method.inverts else pictures_for(model, wish.prior_pictures)
    heed = heeding(watch.stop, pictured, "what the base makes")
    prior = prior_scenes(model, wish.subjects, count, work / PRIOR, heed)
    prepare = checkpointed if wish.gradient_checkpointing else as_it_is
    plan = lesson(model, halves, photos.learnt, photos.held, prior, wish.settings, prepare)
    # What was left to the program is said from here on: report and passport state it.
    wish = replace(wish, settings=replace(wish.settings, rate=plan.recipe.optimiser.rate))
    spent = _learnt(plan, folder / RUN, start, watch)
    if spent is None:
        return Tuned(folder, None, None)
    notes += _early(spent, plan, watch)
    court = _court(wish, model, photos, features, heeding(watch.stop, pictured, "judging"), work)
    return _judged(wish, photos, notes, plan, spent, court, gate, folder, watch)


@dataclass(frozen=True)
class Spent:
    """On learning, resumed parts included: updates, and seconds."""

    updates: int
    seconds: float


def _learnt(plan: Lesson, run: Path, start: Literal["new", "resume"], watch: Watch) -> Spent | None:
    """What learning took until its end, None where it was stopped before that."""
    last = begun_before(plan, run) if start == "resume" else None
    patient = Patient(run / JOURNAL, 0 if last is None else int(last["step"]))
    if last is not None and patient.early:  # it ended so, and was killed before or while it was judged
        return Spent(int(last["step"]), float(last["seconds"]))
    outcome = learn(plan, run, start, patient.on(watch))
    ended = outcome.reason == "done" or patient.early
    return Spent(outcome.training.step, outcome.seconds) if ended else None


def _early(spent: Spent, plan: Lesson, watch: Watch) -> tuple[str, ...]:
    """That a run ended early, which is said at once."""
    steps = plan.recipe.steps
    if spent.updates >= steps:
        return ()
    note = f"ended early after {spent.updates} of {steps} updates: the loss on what was held apart fell no more"
    watch.say(note)
    return (note,)


def _check_told(model: Base) -> None:
    """Raises UsageError for a model that no name can be taught to, or that makes no picture of a text alone."""
    system = model.system
    if model.stage.spec.net.get("sees", ""):
        raise UsageError(
            f"{system.name} is told a picture beside the text, as inpainting and upscaling are; tune the model of text"
            " that it was made of"
        )
    if "vector" in model.stage.takes and "text" not in model.stage.takes:
        raise UsageError(
            f"the main stage of {system.name} is told an embedding and no text, so nothing it learnt could be called by"
            " name; tune a model whose main stage reads texts"
        )
    if system.components is None and system.text is None:
        raise UsageError(
            f"{system.name} is told no text, so it can learn no name; give a model of text with --model, such as"
            " products-latent, or a Stable Diffusion folder"
        )


def _check_names(model: Base, subjects: Sequence[Subject]) -> None:
    """Raises UsageError for a name that the model's reading of other languages would leave out of every prompt."""
    system = model.system
    for one in subjects if system.components is None else ():
        read, _ = told(system, Prompts(f"a {one.name}"), system.size).read
        if one.name.lower() not in read.lower():
            raise UsageError(
                f"{system.name} reads 'a {one.name}' as {read!r}, so the name would be lost; choose one without words"
                " of other languages"
            )


def _owner_notes(photo_licence: str) -> tuple[str, ...]:
    """That a passport will not say whose the photographs are."""
    said = "nobody says whose the photographs are; give --photo-licence for the passport"
    return () if photo_licence else (said,)


def _judged(
    wish: Wish,
    photos: Shoots,
    notes: tuple[str, ...],
    plan: Lesson,
    spent: Spent,
    court: Court,
    gate: OutputGate,
    folder: Path,
    watch: Watch,
) -> Tuned:
    """What was learnt, at every moment, before its court."""
    began, model, work = time.perf_counter(), court.base, folder / WORK
    learnt = moments(plan, folder / RUN)
    digest = f"{plan.data.train.fingerprint}/{plan.recipe.net}/{wish.settings}"
    candidates = [(k, one.worn(wish.title, f"{digest}/{k}", work, model)) for k, one in learnt.items()]
    verdict = judged(court, candidates)
    choice = choose(*verdict.each.values())
    (before, hidden), (after, more) = (looked_at(verdict.pictures[step], gate) for step in (0, choice.step))
    apart, journal = _separation(verdict, choice.step, court), read_journal(folder / RUN / JOURNAL)
    found = Found(
        subjects=tuple(s.name for s in wish.subjects),
        base=model.system.name,
        seen=_seen(photos, court.ground),
        evidence=verdict.together,
        each=verdict.each,
        choice=choice,
        validation=losses_at(journal, list(learnt)),
        nearest=_nearest(verdict, choice.step, court),
        separation=apart,
        notes=(
            *notes,
            *_withheld(hidden + more),
            *(() if apart is None else apart.notes),
            *warnings(choice, verdict.each),
        ),
        about=_about(wish, model, photos, plan),
        seconds=(spent.seconds, time.perf_counter() - began),
        use=_use(court.asked[wish.subjects[0].name].behind[0][0], wish, folder),
    )
    curve = {CURVE: curve_png(journal, wish.title)} if journal else {}
    _write(folder, found, sheets(before, after, court), curve)
    known = passport(wish, model, photos, found, spent.updates)
    # Before what was learnt is written, or a run that is killed between the two would leave them: where that is, none
    # goes on.
    for note in cleared(folder):
        watch.say(note)
    # What was learnt last: where it is, the rest is there.
    return Tuned(folder, learnt[choice.step].write(folder, model, known), found)


def _withheld(many: int) -> tuple[str, ...]:
    """That some of the report's pictures are grey."""
    return (f"the output gate withheld {many} pictures of this report, which are grey",) if many else ()


def _separation(verdict: Judged, step: int, court: Court) -> Separation | None:
    """Of several subjects, whether each word brings its own product alone."""
    if len(court.asked) == 1:
        return None
    made, before = ({name: one.subject for name, one in verdict.pictures[k].items()} for k in (step, 0))
    shown = {name: one.shown for name, one in court.real.items()}
    return separation(made, before, shown, court.features, court.ground)


def _nearest(verdict: Judged, step: int, court: Court) -> Mapping[str, Nearest]:
    """Of every subject's pictures at a moment, among the photographs of it that were learnt from."""
    return {name: nearest(made, court.real[name].learnt) for name, made in verdict.pictures[step].items()}


def _seen(photos: Shoots, ground: str) -> str:
    """What pictures are held against, in words."""
    return photos.seen if ground == PLAIN else f"{photos.seen}, all on {ground}: {PLAIN} would hide some of the product"


def _use(prompt: str, wish: Wish, folder: Path) -> str:
    """A command, to be pasted into a shell."""
    word = wish.settings.method.inverts
    worn = ("--embedding", str(folder / WORD)) if word else ("--lora", str(folder / ADAPTER))
    return shlex.join(["mezzotint", "generate", prompt, "--model", str(wish.model), *worn])


def _court(wish: Wish, model: Base, photos: Shoots, features: Features, heed: Counted, work: Path) -> Court:
    text, side = model.system.text, square(model)
    ground = ground_of([photo for s in wish.subjects for photo in photos.judges(s)])
    questions = asked_of(wish.subjects, "" if text is None else text.phrases, wish.n, ground)
    against = {s.name: real(photos.judges(s), photos.learnt[s], side, ground) for s in wish.subjects}
    return Court(model, dict(zip(against, questions, strict=True)), against, features, work, heed)


def _method_notes(wish: Wish) -> tuple[str, ...]:
    """What a person should know of a method before anything is learnt."""
    if wish.settings.method.least is None:
        return ()
    return ("other tools put this adapter on with all of its rank at every level, as they know no rank that falls",)


def _size(plan: Lesson) -> str:
    """Of what is learnt."""
    net = plan.recipe.net
    if net.word is not None:
        return f"{net.word.vectors} vectors from {net.word.initial!r}"
    texts = sum(len(paths) for _, paths in net.texts)
    return f"rank {net.method.rank}, {len(net.paths)} layers" + (f" and {texts} of text encoders" if texts else "")


def _about(wish: Wish, model: Base, photos: Shoots, plan: Lesson) -> dict[str, Any]:
    said, method = wish.settings, wish.settings.method
    return {
        "method": f"{method.name}, {_size(plan)}, {plan.parameters:,} numbers",
        "steps": plan.recipe.steps, "batch": said.batch, "rate": said.rate, "seed": said.seed,
        "share of the prior": said.kept_share, "weight of the prior": said.prior, "outside the mask": said.outside,
        "photographs": {s.name: len(p) for s, p in photos.learnt.items()},
        "photographs_sha256": dict(photos.sha256),
        "photo_licence": wish.photo_licence,
        "base_sha256": model.stage.described.weights_sha256,
        "base_licence": model.system.card.licence,
        "versions": {"mezzotint": __version__, "torch": torch.__version__},
    }  # fmt: skip


def _write(folder: Path, found: Found, pictures: Mapping[str, bytes], curve: Mapping[str, bytes]) -> None:
    """The report and its pictures.   curve: of the run, whose file is there."""
    for k, data in enumerate(pictures.values()):
        write_atomic(folder / f"sheet-{k}.png", data)
    write_atomic(folder / PAGE, page(found, {**curve, **pictures}))
    write_atomic(folder / DOCUMENT, pretty_json(document(found)))
