import { expect, test } from "vitest";
import { VirtualClock } from "./clock/virtual-clock.ts";
import { IdleMemory, type OwnProcess } from "./idle-memory.ts";
import { silentLogger } from "./log/logger.ts";

const MIB = 1024 * 1024;
const OPTIONS = { busyRatioMax: 0.02, returnedBytesMin: 64 * MIB };

function setup() {
  const clock = new VirtualClock();
  const seen = { totalMib: 300, afterMib: 120, busy: 0, collected: 0 };
  const own: OwnProcess = {
    heapBytes: () => seen.totalMib * MIB,
    busyRatio: () => seen.busy,
    collect: () => {
      seen.collected++;
      seen.totalMib = seen.afterMib;
    },
  };
  return { clock, seen, memory: new IdleMemory({ clock, log: silentLogger }, OPTIONS, own) };
}

test("memory is given back once nothing happens, and not again before it has grown", () => {
  const { clock, seen, memory } = setup();
  seen.busy = 0.5;
  clock.advance(60_000);
  expect(seen.collected).toBe(0);
  seen.busy = 0.001;
  clock.advance(10_000);
  expect(seen.collected).toBe(1);
  seen.totalMib = 150;
  clock.advance(100_000);
  expect(seen.collected).toBe(1);
  seen.totalMib = 190;
  clock.advance(10_000);
  expect(seen.collected).toBe(2);
  memory[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
});

test("a small process is left alone, and this very process can be asked", () => {
  const { clock, seen, memory } = setup();
  seen.totalMib = 60;
  clock.advance(100_000);
  expect(seen.collected).toBe(0);
  memory[Symbol.dispose]();
  const lines: string[] = [];
  const log = { ...silentLogger, debug: (line: string) => void lines.push(line) };
  using _own = new IdleMemory({ clock, log }, { busyRatioMax: 1, returnedBytesMin: 0 });
  clock.advance(10_000);
  expect(lines).toEqual(["memory given back"]);
});
