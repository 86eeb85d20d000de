"""`idf.py provision`: build, flash, give the device's key a certificate, attach the console.

idf.py reads `idf_ext.py` of the project's folder.
"""

import os
import subprocess


def action_extensions(base_actions, project_path):
    def provision(action, ctx, args, platform, options):
        command = ['provision', 'run', '--platform', platform]
        # idf.py knows the port where the user names it, or ESPPORT does.
        port = getattr(args, 'port', None) or os.environ.get('ESPPORT')
        if port:
            command += ['--port', port]
        command += options
        # esptool writes bootloader, partition table and application: the flash step stays IDF's own.
        command += ['--', 'cmake', '--build', args.build_dir, '--target', 'flash']
        environment = dict(os.environ)
        if port:
            environment['ESPPORT'] = port
        status = subprocess.call(command, cwd=project_path, env=environment)
        if status:
            raise SystemExit(status)

    return {
        'version': '1',
        'actions': {
            'provision': {
                'callback': provision,
                'help': "Flash, give the device's key a certificate, attach the console.",
                'dependencies': ['all'],
                'options': [
                    {
                        'names': ['--platform'],
                        'help': 'The board, as `provision platforms` lists it.',
                        'required': True,
                    },
                ],
                'arguments': [{'names': ['options'], 'nargs': -1}],
            },
        },
    }
