"""Tasks of a plugin can be registered, and are never started."""

from nekro_agent.lacking import absent

AsyncTaskHandle = absent("nekro_agent.services.plugin.task.AsyncTaskHandle")
TaskCtl = absent("nekro_agent.services.plugin.task.TaskCtl")
TaskRunner = absent("nekro_agent.services.plugin.task.TaskRunner")
TaskSignal = absent("nekro_agent.services.plugin.task.TaskSignal")
task = absent("nekro_agent.services.plugin.task.task")
