import type { Clock } from "../clock/clock.ts";
import type { Family } from "./family.ts";
import type { Labels } from "./labels.ts";

/** What the process itself uses; instead of the Go runtime's metrics, which only Go has. Q-133 */
export function processMetrics(clock: Clock): readonly Family[] {
  const startedAt = (clock.wall() - process.uptime() * 1_000) / 1_000;
  return [
    one("process.cpu.time", "process_cpu_seconds_total", "s", "counter", "User and system CPU time.", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    one("process.memory.usage", "process_resident_memory_bytes", "By", "gauge", "Resident memory.", () =>
      process.memoryUsage.rss(),
    ),
    one("", "process_start_time_seconds", "s", "gauge", "Start of the process, Unix time.", () => startedAt),
    one(
      "v8js.memory.heap.used",
      "nodejs_heap_size_used_bytes",
      "By",
      "gauge",
      "Heap in use.",
      () => process.memoryUsage().heapUsed,
    ),
    one(
      "v8js.memory.heap.limit",
      "nodejs_heap_size_total_bytes",
      "By",
      "gauge",
      "Heap reserved.",
      () => process.memoryUsage().heapTotal,
    ),
  ];
}

/** Who is speaking, as Prometheus wants it. Q-135 */
export function targetInfo(resource: Labels): Family {
  return {
    kind: "gauge",
    otelName: "",
    prometheusName: "target_info",
    help: "Target metadata",
    unit: "",
    scope: "",
    read: () => [{ labels: resource, value: 1 }],
  };
}

function one(
  otelName: string,
  prometheusName: string,
  unit: string,
  kind: "gauge" | "counter",
  help: string,
  read: () => number,
): Family {
  return {
    kind,
    otelName,
    prometheusName,
    unit,
    help,
    scope: "",
    read: () => [{ labels: [], value: read() }],
  };
}
