"""`west provision`: what `west flash` does, and then a certificate for the device's key and the console."""

import os
import subprocess
import sys

from west.commands import WestCommand


class Provision(WestCommand):
    def __init__(self):
        super().__init__(
            'provision',
            "flash, give the device's key a certificate, attach the console",
            'Flashes what `west build` has built, with the runner of the board where --west-flash is given, and with '
            "the platform's own flash step otherwise. Further arguments are handed to `provision run`.",
            accepts_unknown_args=True)

    def do_add_parser(self, parser_adder):
        parser = parser_adder.add_parser(self.name, help=self.help, description=self.description)
        parser.add_argument('-d', '--build-dir', default='build', help='as of west build (default: build)')
        parser.add_argument('-p', '--platform', help='the board, as `provision platforms` lists it')
        parser.add_argument('--west-flash', action='store_true', help='flash with west flash')
        return parser

    def do_run(self, args, unknown):
        image = os.path.join(args.build_dir, 'zephyr', 'zephyr.elf')
        if not os.path.isfile(image):
            self.die(f'there is no {image}; build it with west build, or name its folder with --build-dir')
        arguments = ['provision', 'run', '--firmware', image]
        if args.platform:
            arguments += ['--platform', args.platform]
        arguments += unknown
        if args.west_flash:
            arguments += ['--', 'west', 'flash', '--build-dir', args.build_dir]
        try:
            status = subprocess.call(arguments)
        except FileNotFoundError:
            self.die('there is no program provision on the PATH')
        except KeyboardInterrupt:
            # Ctrl-C went to both; how the run took it is its status, and this one does not know it any more.
            status = 130
        sys.exit(status)
