/** What a final stage of a Dockerfile says of the image it makes. */
export interface ImageStage {
  readonly name: string;
  readonly base: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Sources of its `COPY --from=`, and every other instruction that brings files or runs something. */
  readonly brings: readonly string[];
}

/** Every stage of a Dockerfile that begins at `scratch`. Reads what this repository writes: one line per instruction. */
export function imageStages(text: string): readonly ImageStage[] {
  return text
    .split(/^(?=FROM )/m)
    .slice(1)
    .map(stageOf)
    .filter(({ base }) => base === "scratch");
}

function stageOf(text: string): ImageStage {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const [, base = "", name = ""] = /^FROM (\S+) AS (\S+)$/.exec(lines[0] ?? "") ?? [];
  const argument = (instruction: string): string =>
    lines.find((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1) ?? "";
  const entrypoint: unknown = JSON.parse(argument("ENTRYPOINT") || "[]");
  return {
    name,
    base,
    user: argument("USER"),
    entrypoint: Array.isArray(entrypoint) ? entrypoint.map(String) : [],
    environment: Object.fromEntries(
      lines.flatMap((line) => {
        const [, key, value] = /^ENV (\w+)=(\S+)$/.exec(line) ?? [];
        return key === undefined || value === undefined ? [] : [[key, value]];
      }),
    ),
    brings: lines.filter((line) => /^(?:COPY|ADD|RUN|VOLUME)\b/.test(line)),
  };
}
