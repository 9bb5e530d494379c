/** At most five digits a part (four for days), so that the sum fits PostgreSQL's 32-bit integer. */
const iso8601 = /^P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,5}(?:[.,]\d+)?)S)?)?$/;

/** Reads an ISO 8601 duration such as `PT4M12S` as whole seconds; 0 for what is none. */
export function durationInSeconds(text: string): number {
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = iso8601.exec(text) ?? [];
  const exact =
    Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds.replace(',', '.'));
  return Math.round(exact);
}
