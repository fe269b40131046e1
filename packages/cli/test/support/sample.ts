import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Home, type HomeDeps, type HomeOptions, startHome } from "@rouse/embedded";
import { RealClock, RealRandom, silentLogger } from "@rouse/shared";
import { onTestFinished } from "vitest";
import { run } from "../../src/run.ts";

export const samples = resolve(import.meta.dirname, "../../../../samples");
const LISTENING = /^rouse \S+ on http:\/\/127\.0\.0\.1:(\d+)$/;

/** A sample that is up, by `rouse up`, copied to where its state goes as well. */
export interface Sample {
  readonly home: Home;
  /** The gateway's port. */
  readonly gateway: string;
  /** Where it runs: the folder that holds `samples`. */
  readonly cwd: string;
  /** The sample's own folder. */
  readonly folder: string;
  /** The answer of a service of it; asked again until its route is there. */
  ask(service: string): Promise<string>;
  /** `rouse apply -f` of another of the samples. */
  apply(sample: string): Promise<void>;
}

/** @param edit makes its manifest another one before it is read */
export async function up(sample: string, edit?: (manifest: string) => string): Promise<Sample> {
  const cwd = mkdtempSync(join(tmpdir(), "rouse-sample-"));
  cpSync(samples, join(cwd, "samples"), { recursive: true });
  const folder = join(cwd, "samples", sample);
  if (edit !== undefined) {
    const path = join(folder, "service.yaml");
    writeFileSync(path, edit(readFileSync(path, "utf8")));
  }
  const port = Promise.withResolvers<string>();
  const stop = new AbortController();
  let home: Home | undefined;
  const deps = {
    clock: new RealClock(),
    random: new RealRandom(),
    log: silentLogger,
    output: {
      out: (line: string) => {
        const found = LISTENING.exec(line)?.[1];
        if (found !== undefined) port.resolve(found);
      },
      err: (line: string) => port.reject(new Error(line)),
    },
    colors: { dim: (text: string) => text, cyan: (text: string) => text },
    startHome: async (homeDeps: HomeDeps, options: HomeOptions) => {
      home = await startHome(homeDeps, options);
      return home;
    },
    stop: () => stop.signal,
    cwd,
    version: "0.0.0",
  };
  const ended = run(["up", `samples/${sample}`, "--port", "0", "--tls-port", "0"], deps);
  onTestFinished(async () => {
    stop.abort();
    await ended;
    rmSync(cwd, { recursive: true, force: true });
  });
  const gateway = await port.promise;
  if (home === undefined) throw new Error("no home");
  return {
    home,
    gateway,
    cwd,
    folder,
    ask: async (service) => {
      for (;;) {
        const { status, body } = await askOnce(gateway, `${service}.default.localhost`);
        if (status !== 404) return body;
      }
    },
    apply: async (other) => {
      const code = await run(["apply", "-f", `samples/${other}`], deps);
      if (code !== 0) throw new Error(`not applied: ${code}`);
    },
  };
}

function askOnce(port: string, host: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((done, reject) => {
    const sent = request({ host: "127.0.0.1", port, headers: { Host: host }, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}
