import { parseQuery } from '../../../../emulator/logs/insights/parse-query';
import { QuerySyntaxError } from '../../../../emulator/logs/insights/syntax-error';

const faultOf = (query: string): QuerySyntaxError => {
  try {
    parseQuery(query);
  } catch (error) {
    if (error instanceof QuerySyntaxError) return error;
  }
  throw new Error(`No fault: ${query}`);
};

test.each([
  ['fileds @timestamp', 0, 'Line 1, col 1:', /Expected .*fields/],
  ['fields', 6, 'Line 1, col 7:', /Expected a field/],
  ['fields a,', 9, 'col 10', /a field/],
  ['fields a\n| filter a ==', 21, 'Line 2, col 13:', /a field/],
  ['filter level = "ERROR', 15, 'col 16', /a text in quotes/],
  ['filter a like b', 14, 'col 15', /a text in quotes/],
  ['fields a | sort b descending', 18, 'col 19', /desc/],
  ['limit ten', 6, 'col 7', /a number/],
  ['filter (a = 1', 13, 'col 14', /"\)"/],
  ['filter a in [1, 2', 17, 'col 18', /"\]"/],
  ['fields a | | limit 1', 11, 'col 12', /fields/],
  ['', 0, 'col 1', /fields/],
  ['filter nosuch(a)', 7, 'col 8', /There is no function nosuch/],
  ['fields strlen()', 7, 'col 8', /strlen does not take 0 arguments/],
  ['stats pct(a)', 6, 'col 7', /pct does not take 1 argument$/],
  ['stats a by b', 6, 'col 7', /stats needs an aggregate/],
  ['filter count() > 1', 7, 'col 8', /Aggregates are allowed only in stats/],
  ['stats count() by bin(1q)', 21, 'col 22', /not a duration/],
  ['filter a like /(/', 14, 'col 15', /not a valid regular expression/],
])('%j is rejected at character %d', (query, start, place, expected) => {
  const { message, start: at } = faultOf(query);
  expect({ at, message }).toEqual({ at: start, message: expect.stringContaining(place) });
  expect(message).toMatch(expected);
  expect(message).toContain('^');
});

test.each([
  ['pattern @message', 'The command pattern'],
  ['fields a | diff', 'The command diff'],
  ['fields jsonParse(@message) as body', 'The function jsonparse'],
])('%j is refused as valid, but not supported', (query, what) => {
  const refusal = `${what} is valid in CloudWatch Logs Insights, but the embedded AWS does not support it`;
  expect(faultOf(query).message).toContain(refusal);
});

test('keywords are case-insensitive, and comments are skipped', () => {
  const plain = parseQuery('fields a as b | filter not a in [1] | stats count(*) by bin(5m) | sort a desc | limit 3');
  const upperCase = parseQuery(
    '# all of it\nFIELDS a AS b\n| FILTER NOT a IN [1] # and this\n| STATS COUNT(*) BY bin(5m)' +
      '| SORT a DESC | LIMIT 3',
  );
  expect(JSON.stringify(upperCase).toLowerCase()).toBe(JSON.stringify(plain));
});

test('the name of a field can begin or end with a keyword', () => {
  expect(() =>
    parseQuery('fields inside, as_of, order, not_now, bytes | filter android = 1 | sort descent'),
  ).not.toThrow();
});
