import type { Attributes } from "@opentelemetry/api";
import type { Labels } from "../metrics/labels.ts";

export function attributesOf(labels: Labels): Attributes {
  return Object.fromEntries(labels);
}
