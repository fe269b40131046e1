import { StringDecoder } from "node:string_decoder";
import type { WallMs } from "@rouse/shared";

export type OutputStream = "stdout" | "stderr";

export interface OutputLine {
  readonly stream: OutputStream;
  readonly text: string;
  /** When it was whole. */
  readonly at: WallMs;
}

export interface OutputDeps {
  readonly wall: () => WallMs;
  readonly onLine: (line: OutputLine) => void;
}

export interface OutputLimits {
  /** Text kept per pod; the oldest lines go first. */
  readonly keptBytes: number;
  /** A longer line is cut into several. */
  readonly lineBytesMax: number;
}

const LIMITS_DEFAULT: OutputLimits = { keptBytes: 256 * 1024, lineBytesMax: 16 * 1024 };

/** The last part of what a pod wrote, by lines. Also where bytes become lines: each is passed on once. */
export class OutputRing {
  readonly #limits: OutputLimits;
  readonly #deps: OutputDeps;
  #lines: OutputLine[] = [];
  /** Lines at the front of `#lines` that have been dropped; they are cut off now and then, not one by one. */
  #dropped = 0;
  #bytes = 0;
  #pushed = 0;
  /** Line numbers at which the run that is on, or was last, began, and the one before it. */
  #runStart = 0;
  #runBefore: number | undefined;
  #hasRun = false;
  #isRunning = false;
  readonly #partial: Record<OutputStream, { readonly decoder: StringDecoder; text: string }> = {
    stdout: { decoder: new StringDecoder("utf8"), text: "" },
    stderr: { decoder: new StringDecoder("utf8"), text: "" },
  };

  constructor(deps: OutputDeps, limits: OutputLimits = LIMITS_DEFAULT) {
    this.#deps = deps;
    this.#limits = limits;
  }

  write(stream: OutputStream, chunk: Buffer): void {
    const partial = this.#partial[stream];
    const parts = (partial.text + partial.decoder.write(chunk)).split("\n");
    partial.text = parts.pop() ?? "";
    for (const part of parts) this.#cut(stream, part.endsWith("\r") ? part.slice(0, -1) : part);
    const max = this.#limits.lineBytesMax;
    while (partial.text.length > max) {
      this.#push(stream, partial.text.slice(0, max));
      partial.text = partial.text.slice(max);
    }
  }

  /** A process of the container runs from here on. */
  begin(): void {
    this.#runBefore = this.#hasRun ? this.#runStart : undefined;
    this.#runStart = this.#pushed;
    this.#hasRun = true;
    this.#isRunning = true;
  }

  /** The process is gone: what it left without a newline is a line too. */
  end(): void {
    this.#isRunning = false;
    for (const stream of ["stdout", "stderr"] as const) {
      const partial = this.#partial[stream];
      const rest = partial.text + partial.decoder.end();
      partial.text = "";
      if (rest !== "") this.#cut(stream, rest);
    }
  }

  /** What is kept of the run that is on, or of the last one while none is. */
  lines(): readonly OutputLine[] {
    return this.#between(this.#runStart, this.#pushed);
  }

  /** What is kept of the last run that has ended; `undefined` where none has. P-87 `previous` */
  previous(): readonly OutputLine[] | undefined {
    if (!this.#hasRun) return undefined;
    if (!this.#isRunning) return this.lines();
    return this.#runBefore === undefined ? undefined : this.#between(this.#runBefore, this.#runStart);
  }

  /** The end of this run's output, at most so many lines and characters: a termination message. */
  tail(limits: { readonly lines: number; readonly characters: number }): string {
    const count = Math.min(limits.lines, this.#pushed - this.#runStart);
    const last = this.#lines.slice(Math.max(this.#dropped, this.#lines.length - count));
    return last
      .map((line) => line.text)
      .join("\n")
      .slice(-limits.characters);
  }

  /** The kept ones of the lines numbered from `from` on, up to `to`. */
  #between(from: number, to: number): readonly OutputLine[] {
    const first = this.#pushed - this.#lines.length; // the number of the line at the front
    return this.#lines.slice(Math.max(this.#dropped, from - first), Math.max(this.#dropped, to - first));
  }

  #cut(stream: OutputStream, text: string): void {
    const max = this.#limits.lineBytesMax;
    for (let at = 0; at < text.length || at === 0; at += max) {
      this.#push(stream, text.slice(at, at + max));
    }
  }

  #push(stream: OutputStream, text: string): void {
    const line = { stream, text, at: this.#deps.wall() };
    this.#lines.push(line);
    this.#pushed++;
    this.#bytes += line.text.length + 1;
    while (this.#bytes > this.#limits.keptBytes && this.#dropped < this.#lines.length - 1) {
      this.#bytes -= (this.#lines[this.#dropped]?.text.length ?? 0) + 1;
      this.#dropped++;
    }
    if (this.#dropped > 1_024 && this.#dropped * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#dropped);
      this.#dropped = 0;
    }
    this.#deps.onLine(line);
  }
}
