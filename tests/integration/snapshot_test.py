#!/usr/bin/python3
"""Snapshots on a real broker: kills at each of their steps, lost disks, damaged snapshots, and changelogs that stay short."""

import contextlib
import shutil
import time

from exactly_once_test import Setting, wait_for_all_read
from support import report, rides, topics, weir
from support.topics import Topics


class Snapshots(Setting):
    """A pipeline that makes several snapshots a second."""

    def arguments(self, until=None):
        return super().arguments(until) + ["--snapshots", self.folder / "kept", "--snapshot-every", "300ms", "--commit-interval", "50ms"]

    def manifests(self):
        return sorted(path for path in (self.folder / "kept").glob("*/manifests/*") if path.suffix == "")

    def lose_disk(self):
        shutil.rmtree(self.folder / "state")

    def changelog(self):
        return f"{self.name}.counts.window.0.changelog"


def feed(setting, records, pipeline, first, last):
    topics.produce(setting.rides, records[first:last])
    wait_for_all_read(pipeline, setting, last)


@contextlib.contextmanager
def with_several(rides_in_all, rides_counted):
    """A setting that has snapshots, and all its rides."""
    with Topics() as mine, weir.scratch() as folder:
        setting = Snapshots(mine, folder)
        records = rides.events(rides_in_all)
        make_several(setting, records, rides_counted)
        yield setting, records


def make_several(setting, records, count):
    """Counts `count` rides, with snapshots on the way: two at the end, and a changelog that was cut."""
    with setting.running() as pipeline:
        done = 0

        def is_cut():
            nonlocal done
            if done < count:
                feed(setting, records, pipeline, done, min(done + 500, count))
                done = min(done + 500, count)
            return len(setting.manifests()) == 2 and sum(topics.begin_offsets(setting.changelog()).values()) > 0
        pipeline.wait_until(is_cut, "a changelog that was cut")
        feed(setting, records, pipeline, done, count)
        assert pipeline.terminate() == 0, pipeline.said()


def test_a_lost_disk_is_the_newest_snapshot_and_the_changelog_behind_it():
    with with_several(40_000, 20_000) as (setting, records):
        setting.lose_disk()
        topics.produce(setting.rides, records[20_000:])
        _, said = setting.run()
        assert "restored the snapshot of epoch" in said, said
        setting.check(records)


def test_a_damaged_snapshot_is_stepped_over():
    with with_several(20_000, 15_000) as (setting, records):
        newest = setting.manifests()[-1]
        content = bytearray(newest.read_bytes())
        content[len(content) // 2] ^= 1
        newest.write_bytes(content)
        setting.lose_disk()
        topics.produce(setting.rides, records[15_000:])
        _, said = setting.run()
        assert "stepped over damaged snapshots: " + newest.name in said, said
        assert "restored the snapshot of epoch" in said, said
        setting.check(records)


def test_a_lost_disk_without_its_snapshots_is_refused():
    with with_several(10_000, 10_000) as (setting, records):
        setting.lose_disk()
        _, said = weir.run(*Setting.arguments(setting, "end"), expected_code=78)
        assert "--snapshots" in said, said
        setting.run()
        setting.check(records)


def kill_at(point):
    """Killed while a snapshot is made; then the disk is lost, too."""
    with Topics() as mine, weir.scratch() as folder:
        setting = Snapshots(mine, folder)
        records = rides.events(16_000)
        with setting.running(env={"WEIR_FAILPOINT": point + ":kill:2"}) as pipeline:
            done = 0
            while pipeline.process.poll() is None and done < 12_000:
                topics.produce(setting.rides, records[done:done + 200])
                done += 200
                time.sleep(0.05)
            pipeline.wait(20)
            assert pipeline.process.returncode == -9, f"{point}: {pipeline.process.returncode}\n{pipeline.said()[-2000:]}"
        with setting.running() as pipeline:
            topics.produce(setting.rides, records[done:13_000])
            wait_for_all_read(pipeline, setting, 13_000)
            assert pipeline.terminate() == 0, pipeline.said()
        setting.lose_disk()
        topics.produce(setting.rides, records[13_000:])
        setting.run()
        setting.check(records)


def test_killed_in_front_of_the_checkpoint():
    kill_at("S0")


def test_killed_while_files_are_copied():
    kill_at("S1")


def test_killed_in_front_of_the_manifest():
    kill_at("S2")


def test_killed_in_front_of_removing_old_snapshots():
    kill_at("S3")
    kill_at("S4")


def test_killed_in_front_of_cutting_the_changelog():
    kill_at("S5")


def test_killed_while_restoring():
    with with_several(20_000, 12_000) as (setting, records):
        for point in ("R0:kill:1", "R0:kill:3", "R1:kill:1", "R2:kill:1"):
            setting.lose_disk()
            with setting.running("end", env={"WEIR_FAILPOINT": point}) as pipeline:
                assert pipeline.wait() == -9, f"{point}\n{pipeline.said()[-2000:]}"
        topics.produce(setting.rides, records[12_000:])
        setting.run()
        setting.check(records)


if __name__ == "__main__":
    report.main(globals())
