/**
 * Calls the control API of a simulator.
 *
 * @returns the parsed body of the response
 * @throws {Error} if the simulator refuses the call
 */
export const control = async (
  url: string,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH',
  body?: unknown,
): Promise<unknown> => {
  const response = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
};
