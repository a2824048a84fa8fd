from nekro_agent.api.plugin import NekroPlugin

plugin = NekroPlugin(
@plugin.mount_webhook_method("/x", "X")
