import { parseAutoscalerConfig } from "@rouse/autoscaler";
import { configMapProblem } from "@rouse/controller";
import type { AnyObject } from "@rouse/shared";

/**
 * Why a ConfigMap of the system namespace cannot be what the contract knows by its name, tried with the readers that
 * would read it; `undefined` if it can. C-156
 */
export function problemOfConfigMap(object: AnyObject): string | undefined {
  const { name = "" } = object.metadata;
  const data = textsOf(Reflect.get(object, "data"));
  const problem = configMapProblem(name, data);
  if (problem !== undefined || name !== "config-autoscaler") return problem;
  const parsed = parseAutoscalerConfig(data);
  return parsed.kind === "invalid" ? parsed.problems.join("; ") : undefined;
}

function textsOf(data: unknown): Readonly<Record<string, string>> {
  if (typeof data !== "object" || data === null) return {};
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(data)) if (typeof value === "string") texts[key] = value;
  return texts;
}
