"""What the default weights cost in quality: perplexity of the documentation of this project."""

from benchmarks.local_llm.setting import Setting
from benchmarks.result import Bar, Row
from benchmarks.workers import Workers

__all__ = ["measure"]


def measure(setting: Setting) -> list[Row]:
    """Eight windows of 256 tokens; nothing varies from run to run, so one round is enough."""
    windows, size = setting.size(8, 2), setting.size(256, 64)
    ids = setting.texts.ids(windows * size)
    with Workers() as workers:
        setting.networks(workers)
        setting.plain(workers)
        setting.peers(workers, ["llama.cpp"])
        workers.wait()
        answers = workers.ask("perplexity", windows=[ids[n * size : (n + 1) * size] for n in range(windows)])
    samples = {side: [answer["value"]] for side, answer in answers.items()}
    exact = samples["f32"][0]
    bar = Bar(against="f32", ratio=samples["auto"][0] / exact, bar=1.02)
    return [Row(name=f"perplexity of {windows} x {size} tokens", unit="", samples=samples, bars=(bar,))]
