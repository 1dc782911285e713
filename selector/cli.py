"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from selector.errors import SelectorError

LATE_SECONDS = 2.2
"""How far past the budget the watchdog lets a run go."""
CLOSING_SECONDS = 0.2
"""How long the watchdog waits for the progress to be taken off the terminal."""

app = typer.Typer(
    name="selector",
    help="Which neural architecture fits your data: recurrent, convolutional, a hybrid, or none.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
datasets_app = typer.Typer(help="Small real data sets, and planted ones.", no_args_is_help=True)
app.add_typer(datasets_app, name="datasets")
cache_app = typer.Typer(help="Compiled programs kept for later runs.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")

Function = TypeVar("Function", bound=Callable[..., Any])
Verbose = Annotated[bool, typer.Option("--verbose", help="Show the traceback of an error.")]


def main() -> None:
    """Entry point of the command ``selector``."""
    app()


def say(text: str) -> None:
    """Print one line on standard error."""
    print(text, file=sys.stderr, flush=True)


def command(function: Function) -> Function:
    """Turn errors into one line and exit code 2; a traceback needs ``--verbose``."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (SelectorError, KeyboardInterrupt, Exception) as error:  # the last resort
            if isinstance(error, BrokenPipeError):
                os._exit(0)
            if kwargs.get("verbose"):
                import traceback

                traceback.print_exc()
            code, text = _told(error)
            say(text)
            raise typer.Exit(code) from None

    return guarded  # type: ignore[return-value]


def _told(error: BaseException) -> tuple[int, str]:
    """Return the exit code of an error and the one line that says it."""
    if isinstance(error, typer.Exit):
        raise error
    line = " ".join(str(error).split())
    if isinstance(error, SelectorError):
        return 2, f"error: {line}"
    if isinstance(error, KeyboardInterrupt):
        return 130, f"stopped. {line}".strip()
    return 1, f"internal error: {type(error).__name__}: {line} (--verbose shows where)"


class Outcome:
    """Prints a session's result exactly once, from the main thread or the watchdog."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._lock = threading.Lock()
        self._shown = False

    def show(self, recommendation: dict[str, Any]) -> bool:
        """Print the recommendation; False where it was printed before."""
        with self._lock:
            if self._shown:
                return False
            self._shown = True
            self._print(recommendation)
        return True

    def _print(self, recommendation: dict[str, Any]) -> None:
        if self.as_json:
            print(json.dumps(recommendation, ensure_ascii=False), flush=True)
        else:
            from rich.console import Console

            from selector.report.terminal import print_recommendation

            print_recommendation(recommendation, Console())


def _guard(session: Any, progress: Any, outcome: Outcome) -> None:
    """End the process past the budget with the last recommendation, whatever hangs."""

    def watch() -> None:
        while session.budget.left() > -LATE_SECONDS:
            time.sleep(0.1)
        if session.pool is not None:
            for worker in session.pool.workers:
                session.pool.kill(worker, "the run is over")
        closing = threading.Thread(target=progress.close, daemon=True)
        closing.start()
        closing.join(CLOSING_SECONDS)  # the terminal may be what hangs
        code = 2
        if session.recommendation:
            code = 0
            outcome.show(session.recommendation)
        else:
            say("error: the time was over before there was anything to recommend. Try more --time.")
        sys.stdout.flush()
        os._exit(code)

    threading.Thread(target=watch, daemon=True).start()


def _run(session: Any, progress: Any, work: Callable[[], dict[str, Any]], as_json: bool) -> None:
    """Carry out a session under the watchdog, with Ctrl-C ending the search early."""
    outcome = Outcome(as_json)
    _guard(session, progress, outcome)

    def interrupt(*_: Any) -> None:
        if session.stop.is_set():
            run = session.run and session.run.path
            raise KeyboardInterrupt(
                f"What there is so far is in {run}: go on with 'selector resume {run}'."
                if run and run.exists()
                else ""
            )
        session.stop.set()
        progress.pause()
        say("\nstopping: what was found so far is judged (Ctrl-C again to give up).")

    signal.signal(signal.SIGINT, interrupt)
    with progress:
        recommendation = work()
    outcome.show(recommendation)


def _session(options: Any, quiet: bool) -> Any:
    from selector.report.progress import Progress
    from selector.search.budget import process_start
    from selector.session import Session

    progress = Progress(quiet=quiet)
    return Session(options, process_start(), lambda state: progress.update(**state)), progress


@app.command()
@command
def recommend(
    source: Annotated[str, typer.Argument(help="CSV, TSV, .ts, .npz, or a folder of images.")],
    time: Annotated[
        str | None,
        typer.Option(help="Budget: seconds, 90s, 5m; by default 60, with --trials an hour."),
    ] = None,
    test: Annotated[str | None, typer.Option(help="A test file of its own.")] = None,
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
    kind: Annotated[str | None, typer.Option(help="sequential, grid or tabular.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
    axes: Annotated[str | None, typer.Option(help="Axes of a sample, as time,channel.")] = None,
    metric: Annotated[
        str | None, typer.Option(help="Score by this, in scikit-learn's names.")
    ] = None,
    id: Annotated[str | None, typer.Option("--id", help="Column of series ids (long CSV).")] = None,
    step: Annotated[str | None, typer.Option(help="Column of time steps (long CSV).")] = None,
    group: Annotated[
        str | None, typer.Option(help="Column of groups (patients, machines …), never split apart.")
    ] = None,
    order: Annotated[
        str | None, typer.Option(help="Column of time: splits go forward in it.")
    ] = None,
    families: Annotated[
        str | None, typer.Option(help="Only these, as rnn,cnn; by default all.")
    ] = None,
    trained_only: Annotated[
        bool, typer.Option("--trained-only", help="No fixed features, no estimators.")
    ] = False,
    trials: Annotated[
        int | None, typer.Option(help="Search so many trials; repeatable bit for bit.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seeds splits, weights and search.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Worker processes; one a core.")] = None,
    prefer: Annotated[str, typer.Option(help="score, balanced or cheap.")] = "balanced",
    refit_all: Annotated[
        bool, typer.Option("--refit-all", help="Also save a model fitted on all rows, unscored.")
    ] = False,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Also save an average of models, for the best score.")
    ] = False,
    max_latency: Annotated[
        float | None, typer.Option(help="Milliseconds that one prediction may take.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(help="Size of a model at most: 500kB, 2MB.")
    ] = None,
    max_params: Annotated[int | None, typer.Option(help="Parameters of a model at most.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/<date>-<name>.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    verbose: Verbose = False,
) -> None:
    """Find out which architecture fits a data set, and save the trained model."""
    from selector.options import Options

    options = Options(
        time=time,  # type: ignore[arg-type]
        trials=trials,
        seed=seed,
        workers=workers,
        families=tuple(w.strip() for w in families.split(",") if w.strip()) if families else (),
        trained_only=trained_only,
        target=target,
        kind=kind,
        task=task,
        axes=axes,
        metric=metric,
        group=group,
        order=order,
        id=id,
        step=step,
        prefer=prefer,
        refit_all=refit_all,
        ensemble=ensemble,
        max_latency=max_latency,
        max_size=max_size,  # type: ignore[arg-type]
        max_params=max_params,
        command=tuple(["selector", *sys.argv[1:]]),
    )
    session, progress = _session(options, quiet)
    _run(session, progress, lambda: session.recommend(source, test=test, out=out), as_json)


@app.command()
@command
def resume(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    time: Annotated[str | None, typer.Option(help="Budget from now; as before by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    verbose: Verbose = False,
) -> None:
    """Go on with a run that was stopped or killed, or give it more time."""
    from selector.artifact.run import RunFolder
    from selector.options import Options

    folder = RunFolder.open(run)
    options = Options.stored(folder.read("run.json"), time)
    session, progress = _session(options, quiet)
    _run(session, progress, lambda: session.resume(folder), as_json)


@app.command()
@command
def predict(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    source: Annotated[str, typer.Argument(help="Data of the same form, with or without target.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV to write; or print it.")
    ] = None,
    proba: Annotated[bool, typer.Option("--proba", help="Add a column for each class.")] = False,
    model: Annotated[str, typer.Option(help="model, model_all or ensemble.")] = "model",
    verbose: Verbose = False,
) -> None:
    """Predict with the model of a run."""
    from selector.artifact.predict import Predictor
    from selector.artifact.run import RunFolder

    with Predictor(RunFolder.open(run), model) as predictor:
        if proba:
            predictor.check_probabilities()
        predictions = predictor.predict(source)
    predictions.write_csv(out, proba=proba)
    for note in predictions.notes:
        say(f"note: {note}")
    if out is not None:
        say(f"{len(predictions.labels)} predictions written to {out}")


@app.command()
@command
def show(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    verbose: Verbose = False,
) -> None:
    """Show what a run found."""
    from selector.artifact.run import RunFolder
    from selector.errors import RunError

    folder = RunFolder.open(run)
    if not (folder.path / "recommendation.json").exists():
        raise RunError(
            f"the run in {folder.path} has no recommendation yet; it has {len(folder.trials())}"
            f" finished trials. Go on with 'selector resume {run}'."
        )
    Outcome(as_json).show({**folder.read("recommendation.json"), "run": str(folder.path)})


@app.command()
@command
def compare(
    names: Annotated[
        list[str], typer.Argument(help="Families, as rnn cnn, and a run folder to compare them in.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    verbose: Verbose = False,
) -> None:
    """Compare families by five questions: as measured in a run, or what holds in general."""
    from selector.report.comparison import comparison, print_comparison

    told = comparison(names)
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    from rich.console import Console

    print_comparison(told, Console())


@app.command()
@command
def profile(
    source: Annotated[str, typer.Argument(help="As for recommend.")],
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
    kind: Annotated[str | None, typer.Option(help="sequential, grid or tabular.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
    axes: Annotated[str | None, typer.Option(help="Axes of a sample, as time,channel.")] = None,
    metric: Annotated[
        str | None, typer.Option(help="Score by this, in scikit-learn's names.")
    ] = None,
    id: Annotated[str | None, typer.Option("--id", help="Column of series ids (long CSV).")] = None,
    step: Annotated[str | None, typer.Option(help="Column of time steps (long CSV).")] = None,
    group: Annotated[str | None, typer.Option(help="Column of groups; no input.")] = None,
    order: Annotated[str | None, typer.Option(help="Column of time; no input.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    verbose: Verbose = False,
) -> None:
    """Say what a data set looks like, without trying any model."""
    from selector import readers
    from selector.artifact.intake import plugin_readers
    from selector.contract import ReadOptions
    from selector.profile import ProfileOptions, describe
    from selector.profile.aside import set_aside

    options = ReadOptions(target, id, step, aside=group or order)
    raw = readers.read(source, options, extra_readers=plugin_readers)
    raw = set_aside(raw, group, order)
    found = describe(raw, ProfileOptions(target, kind, task, axes, metric, group, order))
    content = found.profile.to_dict()
    if as_json:
        print(json.dumps({**content, "notes": list(found.dataset.notes)}, ensure_ascii=False))
        return
    lines = [f"{found.profile.name}: {found.profile.n} samples of shape {found.profile.shape}"]
    for name, decision in found.profile.decisions.items():
        lines.append(
            f"  {name}: {decision.value} (confidence {decision.confidence:.2f}; {decision.reason};"
            f" override with {decision.option})"
        )
    if found.profile.classes:
        counts = zip(found.profile.classes, found.profile.counts, strict=True)
        lines.append("  classes: " + ", ".join(f"{c} ({n})" for c, n in counts))
    lines += [f"  {name}: {value:.3f}" for name, value in found.profile.signals.items()]
    lines += [f"  note: {n}" for n in found.dataset.notes]
    lines += [f"  warning: {w}" for w in found.profile.warnings]
    print("\n".join(lines))


@app.command()
@command
def plugins(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    verbose: Verbose = False,
) -> None:
    """List the plugins, what they offer, and what is wrong with them."""
    from selector.search.workers import list_plugins

    entries = list_plugins()
    if as_json:
        print(json.dumps({"plugins": entries}, ensure_ascii=False))
        return
    for entry in entries:
        print(f"{entry['name']} ({entry['distribution']} {entry['version']}): {entry['state']}")
        for name in [*entry["architectures"], *entry["readers"]]:
            print(f"  {name}")
        for problem in entry["problems"]:
            print(f"  problem: {problem}")


@cache_app.command("info")
@command
def cache_info(verbose: Verbose = False) -> None:
    """Say where the compilation cache is, what it holds, and whether it works here."""
    from selector.training import cache

    place = cache.folder()
    if place is None:
        print("no cache: it is off (SELECTOR_CACHE=off), or its folder cannot be made or trusted")
        return
    held = cache.contents(place)
    print(f"folder   {place}")
    print(f"entries  {held['entries']}")
    print(f"size     {held['bytes'] / 2**20:.1f} MiB of at most {cache.MOST_BYTES / 2**20:.0f}")
    works = "yes" if cache.reloads() else "no: every run compiles anew; SELECTOR_CACHE=off saves it"
    print(f"reloads  {works}")


@cache_app.command("clear")
@command
def cache_clear(verbose: Verbose = False) -> None:
    """Delete every compiled program."""
    from selector.training import cache

    place = cache.folder()
    freed = cache.clear(place) if place is not None else 0
    print(f"{freed / 2**20:.1f} MiB deleted")


@datasets_app.command("list")
@command
def datasets_list(verbose: Verbose = False) -> None:
    """List the data sets."""
    import selector_datasets

    for name in selector_datasets.names():
        card = selector_datasets.card(name)
        print(f"{name:24} {card['kind']:16} {card['task']:16} {card['title']}")


@datasets_app.command("path")
@command
def datasets_path(
    name: Annotated[str, typer.Argument(help="A name, or name/part, as GunPoint/test.")],
    verbose: Verbose = False,
) -> None:
    """Print where a shipped data set lies."""
    import selector_datasets

    print(selector_datasets.path(*name.split("/", 1)))


@datasets_app.command("make")
@command
def datasets_make(
    name: Annotated[str, typer.Argument(help="A name from 'selector datasets list'.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File or folder to write.")],
    n: Annotated[int | None, typer.Option(help="Number of samples (planted sets).")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed (planted sets).")] = None,
    verbose: Verbose = False,
) -> None:
    """Write a data set to a file: a planted one, or one of scikit-learn's."""
    import selector_datasets

    options = {k: v for k, v in (("n", n), ("seed", seed)) if v is not None}
    print(selector_datasets.make(name, out, **options))


if __name__ == "__main__":
    main()
