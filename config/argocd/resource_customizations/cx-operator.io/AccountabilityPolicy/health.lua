-- Ready, Stalled and Reconciling speak of reconciliation alone. A missed objective or an overdue plan is news about customers, in
-- conditions of its own, and never ill health. The kinds share this script, word for word.
local health = {status = "Progressing", message = "The operator has not looked at this spec yet"}
local status = obj.status or {}
if status.observedGeneration == nil or status.observedGeneration < obj.metadata.generation then
  return health
end
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local function holds(kind)
  return conditions[kind] ~= nil and conditions[kind].status == "True"
end
if holds("Stalled") then
  return {status = "Degraded", message = conditions.Stalled.message}
end
if holds("Reconciling") then
  return {status = "Progressing", message = conditions.Reconciling.message}
end
if holds("Ready") then
  return {status = "Healthy", message = conditions.Ready.message}
end
return health
