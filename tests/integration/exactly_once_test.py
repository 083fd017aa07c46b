#!/usr/bin/python3
"""Whatever ends a pipeline, each ride counts once: compared with a plain computation, read by another client."""

import os
import random
import time

from support import report, rides, topics, weir
from support.topics import Topics


class Setting:
    """Topics, a program and a state folder of one test."""

    def __init__(self, mine, folder, **changes):
        self.rides = mine.create("rides", partitions=4)
        self.counts = mine.create("counts", partitions=2)
        self.dead = mine.create("dead")
        self.folder = folder
        self.name = mine.name("p")
        self.program = self.edit(**changes)

    def edit(self, **changes):
        return rides.program(self.folder / "rides.weir", self.rides, self.counts, self.dead, **changes)

    def arguments(self, until=None):
        arguments = ["run", self.program, "--name", self.name, "--brokers", topics.brokers(), "--state", self.folder / "state"]
        return arguments + (["--until", until] if until else [])

    def run(self, **options):
        return weir.run(*self.arguments("end"), **options)

    def running(self, until=None, env=None):
        return weir.Running(*self.arguments(until), log=self.folder / "log", env=env)

    def check(self, records):
        rides.assert_same(rides.rows(topics.read_committed(self.counts)), rides.expected(records))


def test_a_bounded_run_counts_every_ride_once():
    with Topics() as mine, weir.scratch() as folder:
        setting = Setting(mine, folder)
        records = rides.events(50_000)
        topics.produce(setting.rides, records)
        setting.run()
        setting.check(records)
        assert topics.read_committed(setting.dead) == []


def kill_at(failpoint):
    with Topics() as mine, weir.scratch() as folder:
        setting = Setting(mine, folder)
        records = rides.events(60_000)
        topics.produce(setting.rides, records)
        with setting.running("end", env={"WEIR_FAILPOINT": failpoint}) as pipeline:
            code = pipeline.wait()
            assert code == -9, f"{failpoint}: ended with {code}, not by the failpoint\n{pipeline.said()[-2000:]}"
        setting.run()
        setting.check(records)


def test_killed_before_the_flush():
    kill_at("C5:kill:2")


def test_killed_between_offsets_and_commit():
    kill_at("C7:kill:2")


def test_killed_between_commit_and_disk():
    kill_at("C8:kill:2")


def test_killed_twenty_times_at_random():
    with Topics() as mine, weir.scratch() as folder:
        setting = Setting(mine, folder)
        rng = random.Random(os.environ.get("WEIR_SEED", "20"))
        records = rides.events(200_000)
        chunk = len(records) // 20
        for i in range(20):
            topics.produce(setting.rides, records[i * chunk:(i + 1) * chunk])
            with setting.running() as pipeline:
                pipeline.wait_until(lambda: pipeline.process.poll() is None and setting_moves(setting), "progress")
                time.sleep(rng.uniform(0.05, 0.8))
                pipeline.kill()
        setting.run(timeout=180)
        setting.check(records)


def setting_moves(setting):
    return sum(topics.committed_offsets(setting.name, setting.rides).values()) > 0


def test_a_lost_state_folder_is_restored_from_the_changelog():
    with Topics() as mine, weir.scratch() as folder:
        setting = Setting(mine, folder)
        records = rides.events(40_000)
        topics.produce(setting.rides, records[:20_000])
        with setting.running() as pipeline:
            wait_for_all_read(pipeline, setting, 20_000)
            assert pipeline.terminate() == 0, pipeline.said()
        for file in sorted((folder / "state").rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        topics.produce(setting.rides, records[20_000:])
        setting.run()
        setting.check(records)


def wait_for_all_read(pipeline, setting, count):
    # The input was produced without transactions, so its offsets count records.
    pipeline.wait_until(lambda: sum(topics.committed_offsets(setting.name, setting.rides).values()) >= count,
                        f"{count} records committed")


def test_sigterm_commits_and_exits_with_0():
    with Topics() as mine, weir.scratch() as folder:
        setting = Setting(mine, folder)
        records = rides.events(30_000)
        topics.produce(setting.rides, records)
        with setting.running() as pipeline:
            pipeline.wait_until(lambda: setting_moves(setting), "the first commit")
            assert pipeline.terminate() == 0, pipeline.said()
        setting.run()
        setting.check(records)


def test_an_edited_where_goes_on_with_the_old_state():
    with Topics() as mine, weir.scratch() as folder:
        setting = Setting(mine, folder)
        records = rides.events(20_000)
        topics.produce(setting.rides, records[:10_000])
        with setting.running() as pipeline:
            wait_for_all_read(pipeline, setting, 10_000)
            assert pipeline.terminate() == 0, pipeline.said()
        setting.edit(predicate='event_type != "heartbeat" and user_id != "nobody"')
        topics.produce(setting.rides, records[10_000:])
        setting.run()
        setting.check(records)


def test_a_changed_window_is_refused_with_the_reason():
    with Topics() as mine, weir.scratch() as folder:
        setting = Setting(mine, folder)
        topics.produce(setting.rides, rides.events(5_000))
        with setting.running() as pipeline:
            wait_for_all_read(pipeline, setting, 5_000)
            assert pipeline.terminate() == 0, pipeline.said()
        setting.edit(window="hop(2m, every 30s)")
        _, said = weir.run(*setting.arguments("end"), expected_code=78)
        assert "counts" in said and "window" in said, said


def test_a_group_offset_that_was_moved_by_hand_is_refused():
    with Topics() as mine, weir.scratch() as folder:
        setting = Setting(mine, folder)
        topics.produce(setting.rides, rides.events(5_000))
        with setting.running() as pipeline:
            wait_for_all_read(pipeline, setting, 5_000)
            assert pipeline.terminate() == 0, pipeline.said()
        # A static member stays until its session ends; the offsets can be moved once nobody is in the group.
        topics.move_committed(setting.name, setting.rides, 0, 7)
        _, said = weir.run(*setting.arguments("end"), expected_code=78)
        assert "7" in said, said


if __name__ == "__main__":
    report.main(globals())
