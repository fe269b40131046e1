import type { RequirementNumber } from "./numbers.ts";

/** One contract the platform keeps, and which numbers are its own. */
export interface Spec {
  readonly name: string;
  readonly letters: readonly string[];
  /** Whose tests a vector `V-n` in the name belongs to; two contracts count their vectors alike. */
  ownsVector?(path: string, number: number): boolean;
}

/** Vectors of the queue-proxy's contract end here; the autoscaler's have more. */
const QUEUE_PROXY_VECTORS = 14;
const isAutoscaler = (path: string): boolean =>
  /^packages\/(autoscaler|shared\/src\/(window|knative))\//.test(path);
const ownsAutoscalerVector = (path: string, number: number): boolean =>
  isAutoscaler(path) || number > QUEUE_PROXY_VECTORS;

export const specs: readonly Spec[] = [
  {
    name: "queue-proxy",
    letters: ["Q", "E", "V"], // E: what the reference does wrong
    ownsVector: (path, number) => !ownsAutoscalerVector(path, number),
  },
  { name: "activator", letters: ["A"] },
  { name: "autoscaler", letters: ["S", "V"], ownsVector: ownsAutoscalerVector },
  { name: "serverlessservice", letters: ["K", "W", "I"] },
  { name: "serving", letters: ["C", "CV", "CI"] },
  { name: "kubernetes-api", letters: ["P", "D"] },
];

/** The contract a number in the name of a test at `path` belongs to. */
export function specOf(number: RequirementNumber, path: string): Spec | undefined {
  const [letters = "", count = ""] = number.split("-");
  return specs.find(
    (spec) =>
      spec.letters.includes(letters) &&
      (letters !== "V" || spec.ownsVector === undefined || spec.ownsVector(path, Number(count))),
  );
}
