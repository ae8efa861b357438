import { shellWord, stageCommandOf } from '../../../../ops/commands/stage-command';

const dev = { stage: 'dev', local: false, json: false } as const;

test.each([
  [dev, 'pipeline --stage dev'],
  [{ ...dev, stage: 'prod' as const, region: 'eu-west-1' }, 'pipeline --stage prod --region eu-west-1'],
  [{ ...dev, local: true }, 'pipeline --local'],
  [{ ...dev, local: true, state: '/tmp/other' }, 'pipeline --state /tmp/other'],
  [{ ...dev, state: "an engineer's folder" }, String.raw`pipeline --state 'an engineer'\''s folder'`],
])('a command on the stage of %j', (global, command) => {
  expect(stageCommandOf(global)).toBe(command);
});

test('a word has no control characters', () => {
  expect(shellWord('a\nb;c')).toBe("'a b;c'");
});
