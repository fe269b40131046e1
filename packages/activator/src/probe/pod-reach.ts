import type { MeshAccess } from "../settings/network-settings.ts";

/**
 * What came of asking a pod, or the Service of one.
 *
 * | answer | it is |
 * |---|---|
 * | 200 with the body `queue` | `ready` |
 * | any other but 502 and 503 | `unready`; something there listens to us |
 * | 502, 503, no connection, no answer in time | `unreachable`: so a mesh answers, too |
 */
export type PodAnswer = "ready" | "unready" | "unreachable";

/**
 * How requests get to the pods of one revision. Where the mode is `auto` that is found out by asking pods: one that is
 * ready shows that they can be reached; if nothing comes through, and the address of their Service leads to one that is
 * ready, there is a mesh between. That is taken back when a pod answers all the same, and found out anew
 * after each scale to zero. Decides only.
 */
export class PodReach {
  readonly #isFoundOut: boolean;
  #kind: "unknown" | "pods" | "service";
  /** Something answered as no mesh would. */
  #isNoMesh = false;

  constructor(mesh: MeshAccess) {
    this.#isFoundOut = mesh === "auto";
    this.#kind = mesh === "auto" ? "unknown" : mesh === "service" ? "service" : "pods";
  }

  get kind(): "unknown" | "pods" | "service" {
    return this.#kind;
  }

  /** Whether it may turn out otherwise. */
  get isSettled(): boolean {
    return !this.#isFoundOut || this.#kind === "pods";
  }

  /** A pod was asked. Returns what follows: another way, a question to their Service, or nothing. */
  answered(answer: PodAnswer): "changed" | "ask-service" | "same" {
    if (this.isSettled) return "same";
    if (answer === "ready") {
      this.#kind = "pods";
      return "changed";
    }
    if (answer === "unready") this.#isNoMesh = true;
    return this.#kind === "unknown" && !this.#isNoMesh ? "ask-service" : "same";
  }

  /** Their Service was asked. Returns whether there is another way now. */
  serviceAnswered(answer: PodAnswer): boolean {
    if (this.#kind !== "unknown" || this.#isNoMesh || answer !== "ready") return false;
    this.#kind = "service";
    return true;
  }

  /** There is no pod left. */
  emptied(): void {
    this.#isNoMesh = false;
    if (this.#isFoundOut && this.#kind === "service") this.#kind = "unknown";
  }
}
