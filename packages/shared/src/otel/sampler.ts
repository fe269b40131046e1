import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { Environment } from "../metrics/telemetry-options.ts";

/**
 * Which requests are traced: what `OTEL_TRACES_SAMPLER` says, where it is set; else all from a rate of 1 on, none up to
 * 0, and between them what the parent says, and of those without one the rate's share. Q-155
 */
export function samplerOf(samplingRate: number, environment: Environment): Sampler {
  const asked = environment.OTEL_TRACES_SAMPLER ?? "";
  if (asked !== "") {
    const ratio = Number(environment.OTEL_TRACES_SAMPLER_ARG ?? "1");
    return named(asked, Number.isFinite(ratio) ? ratio : 1);
  }
  if (samplingRate >= 1) return new AlwaysOnSampler();
  if (samplingRate <= 0) return new AlwaysOffSampler();
  return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(samplingRate) });
}

function named(name: string, ratio: number): Sampler {
  switch (name) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
}
