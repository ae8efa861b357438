/** Error message for an action or a parameter that is not served. */
export const notServed = (what: string, of: string): string => `The embedded AWS does not serve ${what} of ${of}.`;
