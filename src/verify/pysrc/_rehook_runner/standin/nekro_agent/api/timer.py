"""Timers: there are none."""

from nekro_agent.lacking import absent

clear_timers = absent("nekro_agent.api.timer.clear_timers")
get_timers = absent("nekro_agent.api.timer.get_timers")
set_temp_timer = absent("nekro_agent.api.timer.set_temp_timer")
set_timer = absent("nekro_agent.api.timer.set_timer")

__all__ = ["clear_timers", "get_timers", "set_temp_timer", "set_timer"]
