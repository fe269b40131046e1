import { codeOnly, importsOf, lineAt, type SourceFile } from "./source-text.ts";

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Looks at one file. `code` is its text without comments and the insides of strings. */
interface Rule {
  readonly name: string;
  /** Whether the rule is about this path at all. */
  about(path: string): boolean;
  check(file: SourceFile, code: string): readonly Hit[];
}

interface Hit {
  readonly at: number;
  readonly message: string;
}

/** Who may import whom: down the data path, or into `shared`. Style §2. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  "queue-proxy": ["shared"],
  activator: ["shared"],
  autoscaler: ["shared"],
  controller: ["shared"],
  gateway: ["shared"],
  embedded: ["shared", "queue-proxy", "activator", "autoscaler", "controller", "gateway"],
  cli: ["shared", "embedded"],
};
/** What they ship runs in someone's data path, so it takes nothing from a registry at run time. Libraries §10. */
const WITHOUT_DEPENDENCIES = ["shared", "queue-proxy", "activator", "autoscaler", "controller", "gateway"];
/** Beside the data path a library may earn its place: WebSockets, cron. Libraries §4, §8. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  activator: ["ws"],
  autoscaler: ["ws", "croner"],
};
/** A bundle of its own, which only those load who configure it. */
const APART = /^packages\/[^/]+\/src\/otel\//;
const CLOCK_HOMES = ["packages/shared/src/clock/", "packages/shared/src/random.ts"];
const CLOCK =
  /\bDate\.now\b|\bnew Date\b|\bperformance\.now\b|\bprocess\.hrtime\b|\bMath\.random\b|(?<![.\w])(?:setTimeout|setInterval)\b/g;
const CLOCK_OR_TURN = new RegExp(`${CLOCK.source}|(?<![.\\w])setImmediate\\b`, "g");
const VAGUE_NAMES = /(^|\/)(utils?|helpers?|common|managers?|types|misc)(\.ts$|\/)/;

const packageOf = (path: string): string | undefined => /^packages\/([^/]+)\//.exec(path)?.[1];
const isSource = (path: string): boolean => /\.(ts|mts|cts)$/.test(path);
const isTest = (path: string): boolean =>
  /\.(test|bench|sim)\.ts$/.test(path) || /^packages\/[^/]+\/test\//.test(path) || path.includes("/testing/");

const rules: readonly Rule[] = [
  {
    name: "import-direction",
    about: (path) => isSource(path) && packageOf(path) !== undefined,
    check: (file, code) =>
      importsOf(file, code).flatMap(({ specifier, at }) => {
        const from = packageOf(file.path) ?? "";
        const message = wrongDirection(file.path, from, specifier);
        return message === undefined ? [] : [{ at, message }];
      }),
  },
  {
    name: "no-run-time-dependency",
    about: (path) =>
      isSource(path) &&
      !isTest(path) &&
      !APART.test(path) &&
      WITHOUT_DEPENDENCIES.includes(packageOf(path) ?? ""),
    check: (file, code) =>
      importsOf(file, code).flatMap(({ specifier, at }) =>
        /^(\.|node:|@rouse\/)/.test(specifier) ||
        (ALLOWED[packageOf(file.path) ?? ""] ?? []).includes(specifier)
          ? []
          : [
              {
                at,
                message: `${specifier} would run in the data path; packages/${packageOf(file.path)} takes none`,
              },
            ],
      ),
  },
  {
    name: "clock-and-chance-have-homes",
    about: (path) =>
      isSource(path) && path.startsWith("packages/") && !CLOCK_HOMES.some((home) => path.startsWith(home)),
    check: (file, code) => [
      ...everyMatch(
        code,
        // A test may let the event loop turn until something has happened: a turn is no time.
        isTest(file.path) ? CLOCK : CLOCK_OR_TURN,
        (name) => `${name} belongs in packages/shared/src/clock or random.ts; take a Clock or a Random`,
      ),
      ...importsOf(file, code)
        .filter(({ specifier }) => /^node:timers/.test(specifier))
        .map(({ specifier, at }) => ({ at, message: `${specifier} is a clock; take a Clock` })),
    ],
  },
  {
    name: "environment-has-a-home",
    // Peers in `bench` are programs of their own, told what to do by it.
    about: (path) => isSource(path) && path.startsWith("packages/") && !path.endsWith("/config.ts"),
    check: (_file, code) =>
      everyMatch(code, /\bprocess\.env\b/g, () => "process.env is read in files named config.ts alone"),
  },
  {
    name: "exports-by-name",
    about: isSource,
    check: (_file, code) => everyMatch(code, /\bexport\s*\*/g, () => "export by name, not everything"),
  },
  {
    name: "a-file-has-a-concept",
    about: isSource,
    check: (file) =>
      VAGUE_NAMES.test(file.path) ? [{ at: 0, message: "name the one concept the file holds" }] : [],
  },
  {
    name: "every-test-runs",
    about: (path) => isSource(path) && isTest(path),
    check: (_file, code) =>
      everyMatch(
        code,
        /\b(?:test|it|describe|suite|bench)(?:\.\w+)*\.(?:only|skip|todo|fails)\b|\b(?:xit|xtest|xdescribe)\(/g,
        (name) => `${name}: a test that does not run says nothing`,
      ),
  },
  {
    name: "nothing-unfinished",
    about: (path) => !path.startsWith("scripts/tidy/"), // the words stand here to be found
    check: (file) =>
      everyMatch(file.text, /\b(?:TODO|FIXME|XXX|HACK)\b/g, (word) => `${word}: do it or write an issue`),
  },
  {
    name: "no-machine-in-the-text",
    about: (path) => !path.startsWith("scripts/tidy/"),
    check: (file) =>
      everyMatch(
        file.text,
        /(?<![\w.])\/(?:work|root|opt|Users|home)\/\w+|https?:\/\/[a-z.]*(?:npm|yarnpkg|debian)[a-z.]*\.(?:org|com)/g,
        (found) => `${found} is one machine's or one registry's; the repository names neither`,
      ),
  },
];

/** Every breach of the rules a program can check that neither the linters nor the compiler do. Pure. Style §2, §7, §16. */
export function tidy(files: readonly SourceFile[]): readonly Finding[] {
  return files.flatMap((file) => {
    const code = isSource(file.path) ? codeOnly(file.text) : "";
    return rules
      .filter((rule) => rule.about(file.path))
      .flatMap((rule) =>
        rule.check(file, code).map(({ at, message }) => ({
          path: file.path,
          line: lineAt(file.text, at),
          rule: rule.name,
          message,
        })),
      );
  });
}

function wrongDirection(path: string, from: string, specifier: string): string | undefined {
  const named = /^@rouse\/([^/]+)(\/.*)?$/.exec(specifier);
  if (named === null) {
    const target = specifier.startsWith(".") ? resolved(path, specifier) : undefined;
    return target === undefined || target.startsWith(`packages/${from}/`)
      ? undefined
      : `${specifier} reaches out of packages/${from}; import @rouse/<package>`;
  }
  const [, to = "", deep] = named;
  if (to === from) return `inside packages/${from} import by path`;
  if (!(MAY_IMPORT[from] ?? []).includes(to)) return `packages/${from} may not import ${to}`;
  if (deep === undefined) return undefined;
  if (to === "shared" && deep === "/otel") {
    return APART.test(path) ? undefined : "@rouse/shared/otel is for the bundles beside programs alone";
  }
  if (to === "shared" && deep === "/testing") {
    return isTest(path) ? undefined : "@rouse/shared/testing is for tests alone";
  }
  return `${specifier} reaches into the package; import @rouse/${to}`;
}

function resolved(path: string, specifier: string): string {
  const parts = path.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function everyMatch(text: string, pattern: RegExp, message: (found: string) => string): readonly Hit[] {
  return Array.from(text.matchAll(pattern), (match) => ({ at: match.index, message: message(match[0]) }));
}
