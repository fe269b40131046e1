import {
  Informer,
  identityText,
  LeaseElections,
  type PodAutoscaler,
  PodAutoscalerKind,
  readElectionConfig,
} from "@rouse/shared";
import { AdoptionController } from "./adoption/adoption-controller.ts";
import { startAdminServer } from "./cluster/admin-server.ts";
import type { ClusterController, ClusterControllerDeps } from "./cluster/cluster-controller.ts";
import type { Config } from "./config.ts";
import { ServerlessServiceController } from "./serverless-service/serverless-service-controller.ts";
import { Webhook } from "./webhook/webhook.ts";

/** The controller of a cluster, for as long as it runs. */
export interface Program extends AsyncDisposable {
  readonly adminPort: number;
  /** `undefined` without a webhook. */
  readonly webhookPort: number | undefined;
}

/**
 * One replica of the controller in a cluster: the parts it is told to run, each writing while this replica holds its
 * Lease. Resolves once every cache is filled. What leads gives its Leases back at the end, so that another takes over
 * at once.
 * @throws when the API cannot be reached in time, or a port is taken
 */
export async function startProgram(deps: ClusterControllerDeps, config: Config): Promise<Program> {
  const { client, clock, log } = deps;
  await using starting = new AsyncDisposableStack();
  const controllers: ClusterController[] = [];
  let isReady = false;
  if (config.parts.has("serverlessservice")) {
    controllers.push(starting.use(new ServerlessServiceController(deps, config.endpointsSource)));
  }
  const autoscalers = starting.use(new Informer<PodAutoscaler>(deps, PodAutoscalerKind));
  if (config.parts.has("adoption")) {
    controllers.push(starting.use(new AdoptionController({ ...deps, autoscalers })));
  }
  const elections = starting.use(
    new LeaseElections(
      {
        client,
        clock,
        log,
        onWon: (lease) => {
          log.info("leads", { lease });
          for (const controller of controllers) if (controller.lease === lease) controller.lead();
        },
        onLost: (lease) => {
          log.info("leads no more", { lease });
          for (const controller of controllers) if (controller.lease === lease) controller.follow();
        },
      },
      identityText(config.identity),
      await readElectionConfig(client),
    ),
  );
  starting.defer(() => {
    for (const controller of controllers) controller.follow(); // before another may write
  });
  const admin = starting.use(
    await startAdminServer(
      { isReady: () => isReady, metrics: () => leaderText(controllers, (lease) => elections.holds(lease)) },
      { ip: config.ip, port: config.adminPort },
    ),
  );
  if (config.parts.has("adoption") || config.parts.has("webhook")) await autoscalers.start();
  const webhook = config.parts.has("webhook")
    ? starting.use(
        await Webhook.start(
          { ...deps, autoscalers },
          { ip: config.ip, port: config.webhookPort, service: config.webhookService },
        ),
      )
    : undefined;
  await Promise.all(controllers.map((controller) => controller.start()));
  elections.start(controllers.map(({ lease }) => lease));
  isReady = true;
  log.info("controller runs", { parts: [...config.parts].join(","), adminPort: admin.address.port });
  const running = starting.move();
  return {
    adminPort: admin.address.port,
    webhookPort: webhook?.port,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Which Leases this replica holds. */
function leaderText(controllers: readonly ClusterController[], holds: (lease: string) => boolean): string {
  const lines = controllers.map(
    ({ lease }) => `rouse_controller_leader{lease="${lease}"} ${holds(lease) ? 1 : 0}\n`,
  );
  return `# HELP rouse_controller_leader 1 where this replica writes\n# TYPE rouse_controller_leader gauge\n${lines.join("")}`;
}
