const builtIns = [Object.prototype, Array.prototype, Function.prototype, String.prototype] as const;

const keysOf = (prototype: object): readonly PropertyKey[] => Reflect.ownKeys(prototype);

/** Watches for global side effects of an input: changed prototypes and unhandled rejections. */
export const watchProcess = () => {
  const before = builtIns.map((prototype) => new Set(keysOf(prototype)));
  const rejected: string[] = [];
  const onRejection = (reason: unknown): void => {
    rejected.push(`a rejection was not handled: ${reason instanceof Error ? reason.stack : String(reason)}`);
  };
  process.on('unhandledRejection', onRejection);

  const polluted = (): string[] =>
    builtIns.flatMap((prototype, index) => {
      if (keysOf(prototype).length === before[index]?.size) return [];
      const added = keysOf(prototype).filter((key) => !before[index]?.has(key));
      for (const key of added) Reflect.deleteProperty(prototype, key);
      return [`a prototype has the new keys ${added.map(String).join(', ')}`];
    });

  const findings = (): readonly string[] => [...polluted(), ...rejected.splice(0)];
  return {
    /** @returns the findings since the previous call */
    findings,
    stop: (): readonly string[] => {
      process.off('unhandledRejection', onRejection);
      return findings();
    },
  };
};
