import { appliedInWords, type Explanation, evaluationInWords, whyNotZero } from "@rouse/embedded";
import {
  type Clock,
  type HorizontalPodAutoscaler,
  HorizontalPodAutoscalerKind,
  isKubeError,
  KnativeServiceKind,
  labels,
  type Revision,
  RevisionKind,
  rfc3339,
  type Stored,
} from "@rouse/shared";
import type { SocketClient } from "../api/socket-client.ts";
import type { Output } from "../output.ts";
import { hpaLines } from "./hpa-lines.ts";

/** Latest ticks that are shown; `--json` has all there are. */
const TICKS_SHOWN = 8;
export const EXPLAIN_PAGE = "/rouse/explain";

export interface ExplainRequest {
  readonly name: string;
  readonly namespace: string;
  readonly isJson: boolean;
}

/** What the page answers; absent where no decider of the platform's scales the revision. */
export interface ExplainAnswer {
  readonly explanation?: Explanation;
}

/** Prints why each revision of a service has the pods it has. @throws KubeError if there is no such service; Failure */
export async function explain(
  deps: {
    readonly client: Pick<SocketClient, "get" | "list" | "page">;
    readonly clock: Clock;
    readonly output: Output;
  },
  { name, namespace, isJson }: ExplainRequest,
): Promise<void> {
  const { client, output } = deps;
  await client.get(KnativeServiceKind, { namespace, name });
  const { items } = await client.list(RevisionKind, {
    namespace,
    labelSelector: `${labels.service}=${name}`,
  });
  const explained = await Promise.all(
    items.map(async (revision) => {
      const answer = await client.page<ExplainAnswer>(pageOf(revision));
      const hpa = answer.explanation === undefined ? await hpaOf(client, revision) : undefined;
      return { revision: revision.metadata.name, ...answer, ...(hpa === undefined ? {} : { hpa }) };
    }),
  );
  if (isJson) {
    output.out(JSON.stringify(explained, null, 2));
    return;
  }
  for (const { revision, explanation, hpa } of explained) {
    const lines =
      explanation !== undefined
        ? explanationLines(explanation)
        : hpa !== undefined
          ? hpaLines(hpa)
          : ["nobody scales it yet"];
    output.out(revision);
    for (const line of lines) output.out(`  ${line}`);
  }
}

/** The HPA of a revision whose class leaves its scale to one. */
async function hpaOf(
  client: Pick<SocketClient, "get">,
  { metadata: { namespace, name } }: Stored<Revision>,
): Promise<Stored<HorizontalPodAutoscaler> | undefined> {
  try {
    return await client.get(HorizontalPodAutoscalerKind, { namespace, name });
  } catch (error) {
    if (isKubeError(error, "NotFound")) return undefined;
    throw error;
  }
}

function pageOf({ metadata: { namespace, name } }: Stored<Revision>): string {
  return `${EXPLAIN_PAGE}?revision=${encodeURIComponent(`${namespace}/${name}`)}`;
}

/** The last pass, the answer to "why not zero", and the latest ticks, newest first. */
export function explanationLines({ pods, decider, ticks, applied }: Explanation): readonly string[] {
  const last = ticks.findLast((tick) => tick.kind === "decided");
  const shown = ticks.slice(-TICKS_SHOWN).toReversed();
  return [
    `now       ${pods.ready} ready, ${pods.notReady} not yet; ${decider.mode.kind}; spare for a burst ${decider.excessBurstCapacity}`,
    `scale     ${applied === undefined ? "no pass has been made yet" : appliedInWords(applied, decider.excessBurstCapacity)}`,
    `${applied?.zero === "at-zero" ? "at zero " : "not zero"}  ${whyNotZero(applied)}`,
    ...(last?.kind === "decided" ? [`because   ${evaluationInWords(last.evaluation, decider.spec)}`] : []),
    ...(shown.length === 0
      ? []
      : ["ticks     at                    ready   stable    panic   wants  cut by"]),
    ...shown.map((tick) => {
      const at = rfc3339(tick.at);
      if (tick.kind === "no-data")
        return `          ${at}  ${cell(tick.readyPods, 5)}  nothing was measured, so nothing changes`;
      const { readyPods, stable, panic, desiredPods, cut } = tick.evaluation;
      const numbers = `${cell(readyPods, 5)} ${cell(stable, 8)} ${cell(panic, 8)} ${cell(desiredPods, 7)}`;
      return `          ${at}  ${numbers}  ${cut === "none" ? "-" : cut}`;
    }),
  ];
}

function cell(value: number, width: number): string {
  return String(Math.round(value * 100) / 100).padStart(width);
}
