import type { Clock, Logger, Random } from "@rouse/shared";
import { Command, Option } from "commander";
import { SocketClient } from "./api/socket-client.ts";
import { socketPath } from "./api/socket-path.ts";
import { explain } from "./explain/explain.ts";
import { usageFailure } from "./failure.ts";
import { applyAll } from "./objects/apply-all.ts";
import { deleteAll, deleteNamed } from "./objects/delete.ts";
import { type GetFormat, get, getFormats } from "./objects/get.ts";
import { kindNamed, objectName } from "./objects/kind-names.ts";
import { soundManifests } from "./objects/manifests.ts";
import { dataDirOption, durationMs, fileOption, manyOption, portNumber, wholeNumber } from "./options.ts";
import type { Output } from "./output.ts";
import { simulate } from "./simulate/simulate.ts";
import { type Colors, type StartHome, up } from "./up/up.ts";

interface UpArguments {
  readonly port: number;
  readonly tlsPort?: number;
  readonly dataDir: string;
  readonly ephemeral: boolean;
}

export interface ProgramDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly output: Output;
  readonly colors: Colors;
  readonly startHome: StartHome;
  /** Begins to listen for the user's wish to end a running `up`; until then Ctrl-C ends the process as usual. */
  readonly stop: () => AbortSignal;
  readonly cwd: string;
  readonly version: string;
}

const PORT = 8080;

/**
 * The `rouse` command: what it understands, its help, and which code runs. Commands reject with `Failure` or
 * `KubeError`; wrong usage rejects with `CommanderError`.
 */
export function program(deps: ProgramDeps): Command {
  const { output, cwd, clock } = deps;
  const client = (options: { readonly dataDir: string }): SocketClient =>
    new SocketClient(socketPath(options.dataDir, cwd));

  const rouse = new Command("rouse")
    .description("Runs Knative services on this machine: from zero at the first request, and back.")
    .version(deps.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.err(text.trimEnd()),
    })
    .showHelpAfterError("(add --help for what is possible)")
    .addHelpText("after", EXIT_CODES);

  rouse
    .command("up")
    .summary("start the platform, with the services of some manifests")
    .description(
      "Starts the platform and applies the manifests: files, or directories whose .yaml, .yml and .json files are read.\n" +
        "Prints each service's address, then one line per change, and what the pods write. Ends with Ctrl-C.",
    )
    .argument("[manifest...]", "manifest files or directories; none: an empty platform")
    .option("--port <port>", "port of the gateway on 127.0.0.1; 0: any free one", portNumber, PORT)
    .option("--tls-port <port>", "port on which the gateway speaks TLS as well; 0: any free one", portNumber)
    .addOption(dataDirOption())
    .option("--ephemeral", "keep no state when it ends", false)
    .addHelpText(
      "after",
      examples("rouse up samples/hello", "rouse up a.yaml b.yaml --port 9000", "rouse up --ephemeral"),
    )
    .action(async (manifests: string[], options: UpArguments) => {
      const objects = await soundManifests(manifests, cwd);
      await up(
        { ...deps, stop: deps.stop() },
        {
          version: deps.version,
          cwd,
          objects,
          port: options.port,
          ...(options.tlsPort === undefined ? {} : { tlsPort: options.tlsPort }),
          dataDir: options.dataDir,
          isEphemeral: options.ephemeral,
        },
      );
    });

  rouse
    .command("apply")
    .summary("create or change what manifests describe")
    .description(
      "Makes a running platform have what the manifests describe, and prints what became of each object.",
    )
    .addOption(fileOption().makeOptionMandatory())
    .addOption(dataDirOption())
    .addHelpText(
      "after",
      examples("rouse apply -f samples/hello", "rouse apply -f service.yaml -f other.yaml"),
    )
    .action(async (options: { filename: string[]; dataDir: string }) => {
      const objects = await soundManifests(options.filename, cwd);
      await applyAll(client(options), objects, ({ kind, object }, did) => {
        output.out(`${objectName(kind, object.metadata.name)} ${did}`);
      });
    });

  rouse
    .command("get")
    .summary("show objects of a running platform")
    .description("Shows objects of a running platform; services, if no kind is named.")
    .argument("[kind]", "service, revision, pod, route, configuration, deployment, sks, kpa, …", "service")
    .argument("[name]", "one object; without it, all of the kind")
    .option("-n, --namespace <namespace>", "namespace to look in", "default")
    .option("-A, --all-namespaces", "look in every namespace", false)
    .option("-l, --selector <labels>", "only objects with these labels, such as app=a,tier!=b")
    .addOption(new Option("-o, --output <format>", "how to show them").choices(getFormats).default("table"))
    .addOption(dataDirOption())
    .addHelpText("after", examples("rouse get", "rouse get pods -A", "rouse get service hello -o yaml"))
    .action(
      async (
        kind: string,
        name: string | undefined,
        options: {
          namespace: string;
          allNamespaces: boolean;
          selector?: string;
          output: GetFormat;
          dataDir: string;
        },
      ) => {
        await get(
          { client: client(options), clock, output },
          {
            kind: kindNamed(kind),
            name,
            namespace: options.allNamespaces ? undefined : options.namespace,
            labelSelector: options.selector,
            format: options.output,
          },
        );
      },
    );

  rouse
    .command("delete")
    .summary("delete objects of a running platform")
    .description(
      "Deletes objects of a running platform, by kind and name or by the manifests that describe them.",
    )
    .argument("[kind]", "kind of the object")
    .argument("[name...]", "names of the objects")
    .option("-n, --namespace <namespace>", "namespace of the objects named", "default")
    .addOption(fileOption())
    .option("--ignore-not-found", "what is not there is as good as deleted", false)
    .addOption(dataDirOption())
    .addHelpText("after", examples("rouse delete service hello", "rouse delete -f samples/hello"))
    .action(
      async (
        kind: string | undefined,
        names: string[],
        options: { namespace: string; filename?: string[]; ignoreNotFound: boolean; dataDir: string },
      ) => {
        const request = { client: client(options), output, ignoreNotFound: options.ignoreNotFound };
        if (options.filename !== undefined && kind === undefined) {
          await deleteAll(request, await soundManifests(options.filename, cwd));
        } else if (options.filename === undefined && kind !== undefined && names.length > 0) {
          await deleteNamed(request, { kind: kindNamed(kind), namespace: options.namespace, names });
        } else {
          throw usageFailure("say what to delete: a kind and names, or -f and manifests");
        }
      },
    );

  rouse
    .command("validate")
    .summary("check manifests without a platform")
    .description("Reads manifests and reports everything wrong with them, with file, line and column.")
    .addOption(fileOption().makeOptionMandatory())
    .addHelpText("after", examples("rouse validate -f samples/hello", "rouse validate -f service.yaml"))
    .action(async (options: { filename: string[] }) => {
      const objects = await soundManifests(options.filename, cwd);
      for (const { file, line, kind, object } of objects) {
        output.out(`${file}:${line}: ${objectName(kind, object.metadata.name)} is well`);
      }
    });

  rouse
    .command("explain")
    .summary("say why a service has the pods it has")
    .description(
      "Says of each revision of a service why it has this scale and why it is not at zero: what was measured, the\n" +
        "formula, the bound that cut it, who stands in the path, and the latest ticks.",
    )
    .argument("<service>", "name of the service")
    .option("-n, --namespace <namespace>", "its namespace", "default")
    .option("--json", "every tick there is, as JSON", false)
    .addOption(dataDirOption())
    .addHelpText("after", examples("rouse explain hello", "rouse explain hello --json"))
    .action(async (service: string, options: { namespace: string; json: boolean; dataDir: string }) => {
      await explain(
        { client: client(options), clock, output },
        { name: service, namespace: options.namespace, isJson: options.json },
      );
    });

  rouse
    .command("simulate")
    .summary("replay a trace of traffic, without running anything")
    .description(
      "Replays a trace through the autoscaler's and the activator's own decisions, in virtual time, and says how many\n" +
        "pods there would have been, how long requests would have waited, and draws a picture (SVG).\n" +
        "A trace is a file of lines time,count or of arrival times; times are seconds or RFC 3339.",
    )
    .requiredOption("--trace <file>", "the traffic")
    .addOption(
      manyOption("--annotation <key=value>", "an autoscaling annotation, such as target=5; several times"),
    )
    .addOption(manyOption("--config <key=value>", "a value of config-autoscaler; several times"))
    .option("--concurrency <n>", "containerConcurrency; 0: no limit", wholeNumber, 0)
    .option("--start <duration>", "from a pod's creation to its first request", durationMs, 1_000)
    .option("--service <duration>", "mean time a pod takes over a request", durationMs, 100)
    .option("--seed <n>", "of chance", wholeNumber, 1)
    .option("--plot <file>", "where the picture goes; named after the trace unless given")
    .option("--no-plot", "draw no picture")
    .option("--json", "print everything as JSON", false)
    .addHelpText(
      "after",
      examples(
        "rouse simulate --trace samples/traces/daily-wave.csv --concurrency 1",
        "rouse simulate --trace day.csv --annotation window=30s --annotation min-scale=1 --start 2.5s",
      ),
    )
    .action(
      async (options: {
        trace: string;
        annotation: string[];
        config: string[];
        concurrency: number;
        start: number;
        service: number;
        seed: number;
        plot: string | boolean | undefined;
        json: boolean;
      }) => {
        await simulate(output, {
          trace: options.trace,
          annotations: options.annotation,
          config: options.config,
          containerConcurrency: options.concurrency,
          startMs: options.start,
          serviceMs: options.service,
          seed: options.seed,
          plot: typeof options.plot === "boolean" ? (options.plot ? undefined : false) : options.plot,
          isJson: options.json,
          cwd,
        });
      },
    );

  return rouse;
}

const EXIT_CODES = `
Exit codes:
  0  done; for \`up\`, ended as asked
  1  could not be done: no platform is running, the API refused, a port is in use
  2  makes no sense: unknown option, unreadable or wrong manifest`;

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}
