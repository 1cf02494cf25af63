/** Returns a text about the permissions that a view needs. @param {string} thing @param {"shadow" | "jobs"} service */
export function permissionsText(thing, service) {
  return `The policy must allow iot:Subscribe, iot:Receive and iot:Publish for $aws/things/${thing}/${service}/… The view Diagnose shows what is refused.`;
}
