import {
  badRequest,
  type Clock,
  isJsonMap,
  KubeError,
  memberAt,
  parseRfc3339,
  rfc3339Millis,
  type StatusCause,
  type StoredObject,
  type WallMs,
} from "@rouse/shared";
import { type Answer, type AnswerStream, text } from "./answer.ts";

/** One line of a pod's program. */
export interface LogLine {
  readonly text: string;
  readonly at: WallMs;
}

/** Where the output of pods is kept. */
export interface PodOutput {
  /** The kept lines of one container, oldest first; `undefined` where nothing of the pod runs or ran. */
  lines(
    pod: { readonly namespace: string; readonly name: string },
    container: string,
  ): readonly LogLine[] | undefined;
  /** Those of its last run that has ended; `undefined` where none has. */
  previous(
    pod: { readonly namespace: string; readonly name: string },
    container: string,
  ): readonly LogLine[] | undefined;
  /** Calls `line` for every line from now on and `end` when the container has ended. */
  follow(
    pod: { readonly namespace: string; readonly name: string },
    container: string,
    sink: { line(line: LogLine): void; end(): void },
  ): Disposable;
}

interface LogOptions {
  readonly isFollowing: boolean;
  readonly isPrevious: boolean;
  readonly hasTimes: boolean;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** Lines from before are left out. */
  readonly since: number;
}

/** `pods/<name>/log`. P-87 @throws KubeError */
export function podLog(
  { podOutput: output, clock }: { readonly podOutput: PodOutput; readonly clock: Pick<Clock, "wall"> },
  pod: StoredObject,
  search: URLSearchParams,
): Answer {
  const container = containerOf(pod, search.get("container") ?? "");
  const options = readOptions(pod.metadata.name, search, clock.wall());
  if (!memberAt(pod, "spec.nodeName")) return text("", 204);
  const ref = { namespace: pod.metadata.namespace, name: pod.metadata.name };
  const all = options.isPrevious ? output.previous(ref, container) : (output.lines(ref, container) ?? []);
  if (all === undefined) {
    throw badRequest(`previous terminated container "${container}" in pod "${ref.name}" not found`);
  }
  const { tailLines, since } = options;
  const kept = all.filter(({ at }) => at >= since);
  const shown = tailLines === undefined ? kept : tailLines === 0 ? [] : kept.slice(-tailLines);
  const limit = new ByteLimit(options.limitBytes);
  const lineText = ({ text: line, at }: LogLine): string =>
    limit.cut(`${options.hasTimes ? `${rfc3339Millis(at)} ` : ""}${line}\n`);
  if (!options.isFollowing || options.isPrevious) return text(shown.map(lineText).join(""));
  return {
    kind: "stream",
    status: 200,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    start: (stream: AnswerStream) => {
      for (const line of shown) stream.write(lineText(line));
      return output.follow(ref, container, {
        line: (line) => {
          const part = lineText(line);
          if (part !== "") stream.write(part);
        },
        end: () => stream.end(),
      });
    },
  };
}

class ByteLimit {
  #left: number;

  constructor(bytes: number | undefined) {
    this.#left = bytes ?? Number.POSITIVE_INFINITY;
  }

  cut(part: string): string {
    const bytes = Buffer.from(part);
    if (bytes.length <= this.#left) {
      this.#left -= bytes.length;
      return part;
    }
    const kept = bytes.subarray(0, this.#left).toString("utf8");
    this.#left = 0;
    return kept;
  }
}

function containerOf(pod: StoredObject, asked: string): string {
  const names = ["initContainers", "containers"].flatMap((list) => {
    const containers = memberAt(pod, `spec.${list}`);
    return Array.isArray(containers) ? containers.filter(isJsonMap).map(({ name }) => String(name)) : [];
  });
  const { name } = pod.metadata;
  if (asked !== "") {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const [first = "", ...more] = names;
  if (more.length === 0) return first;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]`);
}

function readOptions(pod: string, search: URLSearchParams, now: WallMs): LogOptions {
  const causes: StatusCause[] = [];
  const number = (name: string, min: 0 | 1): number | undefined => {
    const value = search.get(name);
    if (value === null || value === "") return undefined;
    if (!/^-?\d+$/.test(value)) {
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    }
    if (Number(value) < min) {
      const why = min === 0 ? "must be greater than or equal to 0" : "must be greater than 0";
      causes.push({ reason: "FieldValueInvalid", message: `Invalid value: ${value}: ${why}`, field: name });
    }
    return Number(value);
  };
  const tailLines = number("tailLines", 0);
  const sinceSeconds = number("sinceSeconds", 1);
  const sinceTime = search.get("sinceTime") || undefined;
  const sinceMs = sinceTime === undefined ? undefined : parseRfc3339(sinceTime);
  if (sinceTime !== undefined && sinceMs === undefined) {
    throw badRequest(`parsing time ${JSON.stringify(sinceTime)}: it is none`);
  }
  if (sinceSeconds !== undefined && sinceMs !== undefined) {
    const message = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified";
    causes.push({ reason: "FieldValueForbidden", message, field: "" });
  }
  const limitBytes = number("limitBytes", 1);
  if (causes.length > 0) {
    const texts = causes.map(({ field, message }) => `${field}: ${message}`);
    const joined = texts.length === 1 ? texts.join() : `[${texts.join(", ")}]`;
    throw new KubeError("Invalid", `PodLogOptions "${pod}" is invalid: ${joined}`, {
      name: pod,
      kind: "PodLogOptions",
      causes,
    });
  }
  const isTrue = (name: string): boolean => search.get(name) === "true" || search.get(name) === "1";
  return {
    isFollowing: isTrue("follow"),
    isPrevious: isTrue("previous"),
    hasTimes: isTrue("timestamps"),
    tailLines,
    limitBytes,
    since: sinceMs ?? (sinceSeconds === undefined ? 0 : now - sinceSeconds * 1_000),
  };
}
