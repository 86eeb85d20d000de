"""`west flash -r provision`: flash, give the device's key a certificate, attach the console."""

from runners.core import RunnerCaps, ZephyrBinaryRunner


class ProvisionRunner(ZephyrBinaryRunner):
    """Runner front-end for `provision run`."""

    def __init__(self, cfg, platform, dev_id=None, tool_opt=None, erase=False):
        super().__init__(cfg)
        self.platform = platform
        self.dev_id = dev_id
        self.tool_opt = tool_opt or []
        self.erase = erase

    @classmethod
    def name(cls):
        return 'provision'

    @classmethod
    def capabilities(cls):
        return RunnerCaps(commands={'flash'}, dev_id=True, erase=True, tool_opt=True)

    @classmethod
    def dev_id_help(cls):
        return "The debug probe's serial number, for `provision run --probe-serial`."

    @classmethod
    def tool_opt_help(cls):
        return 'An option for `provision run`: --tool-opt=--detach. Repeatable.'

    @classmethod
    def do_add_parser(cls, parser):
        parser.add_argument(
            '--provision-platform', metavar='NAME', required=True,
            help='the board, as `provision platforms` lists it')

    @classmethod
    def do_create(cls, cfg, args):
        return cls(cfg, args.provision_platform, args.dev_id, args.tool_opt, args.erase)

    def do_run(self, command, **kwargs):
        self.require('provision')
        # The console needs Ctrl-C: check_call leaves it to the whole foreground, as it is.
        self.check_call(self.arguments())

    def arguments(self):
        arguments = ['provision', 'run', '--platform', self.platform, '--firmware', self.cfg.elf_file]
        if self.dev_id:
            arguments += ['--probe-serial', self.dev_id]
        if self.erase:
            arguments.append('--erase')
        return arguments + self.tool_opt
