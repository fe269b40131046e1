import type { Clock, ObjectKey } from "@rouse/shared";
import type { ActivatorProbe, ProbeTarget } from "./activator-probe.ts";

/** A probe that hangs would hold up its pass: no answer by then is no. K-74. */
const ANSWER_MS_MAX = 5_000;
/** Asking in the background: at once, then each second, this long in all. S-108, K-75. */
const BACKGROUND_PERIOD_MS = 1_000;
const BACKGROUND_MS_MAX = 45_000;

export interface ConfirmationsDeps {
  readonly clock: Clock;
  readonly probe: ActivatorProbe;
  /** Told when asking in the background is over, whatever the answer. */
  readonly onOver: (key: ObjectKey) => void;
}

/** Asks whether the activator is in the path, within a pass and between passes. I-12: once per target at a time. */
export class Confirmations implements Disposable {
  readonly #deps: ConfirmationsDeps;
  /** Background askings by target; the timer of the next question, if one is planned. */
  readonly #asking = new Map<string, { timer: Disposable | undefined }>();
  #isClosed = false;

  constructor(deps: ConfirmationsDeps) {
    this.#deps = deps;
  }

  /** Never rejects; a failing or silent probe has not confirmed anything. */
  ask(target: ProbeTarget): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.after(ANSWER_MS_MAX, () => resolve(false));
      const answer = (isInPath: boolean): void => {
        timer[Symbol.dispose]();
        resolve(isInPath);
      };
      this.#deps.probe.isInPath(target).then(answer, () => answer(false));
    });
  }

  /** Keeps asking until it is confirmed or time is up. Ignored while that goes on already. */
  askInBackground(key: ObjectKey, target: ProbeTarget): void {
    const name = `${target.namespace}/${target.serviceName}:${target.port}`;
    if (this.#isClosed || this.#asking.has(name)) return;
    const asking: { timer: Disposable | undefined } = { timer: undefined };
    this.#asking.set(name, asking);
    const giveUpAt = this.#deps.clock.now() + BACKGROUND_MS_MAX;
    const question = async (): Promise<void> => {
      asking.timer = undefined;
      const isConfirmed = await this.ask(target);
      if (this.#isClosed) return;
      if (!isConfirmed && this.#deps.clock.now() + BACKGROUND_PERIOD_MS <= giveUpAt) {
        asking.timer = this.#deps.clock.after(BACKGROUND_PERIOD_MS, () => void question());
        return;
      }
      this.#asking.delete(name);
      this.#deps.onOver(key);
    };
    void question();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { timer } of this.#asking.values()) timer?.[Symbol.dispose]();
    this.#asking.clear();
  }
}
