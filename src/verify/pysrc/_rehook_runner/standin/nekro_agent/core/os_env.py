"""Where things are on the disk: below the folder that the process stands in."""


class OsEnv:
    DATA_DIR = "./data/nekro_agent"


BUILTIN_PLUGIN_DIR = "plugins/builtin"
WORKDIR_PLUGIN_DIR = OsEnv.DATA_DIR + "/plugins/workdir"
PACKAGES_DIR = OsEnv.DATA_DIR + "/plugins/packages"
