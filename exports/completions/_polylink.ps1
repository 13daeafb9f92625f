
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'polylink' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'polylink'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'polylink' {
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show the whole story in a temporary folder: a tree, its flat view, and what both cost')
            [CompletionResult]::new('link', 'link', [CompletionResultType]::ParameterValue, 'Give a file one more name')
            [CompletionResult]::new('unlink', 'unlink', [CompletionResultType]::ParameterValue, 'Remove names, and ask before a file goes with its last one')
            [CompletionResult]::new('flat', 'flat', [CompletionResultType]::ParameterValue, 'Make or update a flat view: one directory with a name for every file of the sources')
            [CompletionResult]::new('dedupe', 'dedupe', [CompletionResultType]::ParameterValue, 'Make identical files names of one file')
            [CompletionResult]::new('split', 'split', [CompletionResultType]::ParameterValue, 'Give names that share a file a file each, the way back from hard links')
            [CompletionResult]::new('clone', 'clone', [CompletionResultType]::ParameterValue, 'Make a tree of hard links beside a tree, and keep it in step')
            [CompletionResult]::new('snapshot', 'snapshot', [CompletionResultType]::ParameterValue, 'Keep dated copies of a tree that share every file that has not changed')
            [CompletionResult]::new('usage', 'usage', [CompletionResultType]::ParameterValue, 'Show what names, files and directories really occupy, and what deleting them would free')
            [CompletionResult]::new('names', 'names', [CompletionResultType]::ParameterValue, 'Find every name of a file')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Tell which names of a view are links to a tree''s files, and which are copies')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Find out whether a view can be made, by making a link and removing it again')
            [CompletionResult]::new('cost', 'cost', [CompletionResultType]::ParameterValue, 'Measure what a hard link costs here')
            [CompletionResult]::new('ntfs', 'ntfs', [CompletionResultType]::ParameterValue, 'Make NTFS volumes, look into them and change them, without mounting them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write the manual pages into a directory')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'polylink;demo' {
            [CompletionResult]::new('--files', '--files', [CompletionResultType]::ParameterName, 'How many files the tree has')
            [CompletionResult]::new('--in', '--in', [CompletionResultType]::ParameterName, 'Where to make the temporary folder [default: the system''s place for temporary files]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;link' {
            [CompletionResult]::new('--via', '--via', [CompletionResultType]::ParameterName, 'Which of the system''s calls makes the link')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file of the volume may have [default: 1024]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Let NEW take the place of another file''s name, atomically')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Link what a symbolic link points at, not the symbolic link itself')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;unlink' {
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file of the volume may have [default: 1024]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--all-names', '--all-names', [CompletionResultType]::ParameterName, 'Remove every name of these files')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Remove last names without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Remove last names without asking')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;flat' {
            [CompletionResult]::new('--include', '--include', [CompletionResultType]::ParameterName, 'Take only what matches; may be given several times')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out what matches; may be given several times')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Form the names in this way')
            [CompletionResult]::new('--orphans', '--orphans', [CompletionResultType]::ParameterName, 'What happens to a view name that is the last one of its file: keep, delete, or move:DIR')
            [CompletionResult]::new('--superseded', '--superseded', [CompletionResultType]::ParameterName, 'What happens to the old version of a file saved by rename, where the view held its last name: drop, or move:DIR [default: as for orphans]')
            [CompletionResult]::new('--deleted', '--deleted', [CompletionResultType]::ParameterName, 'What happens when you deleted a name from the view and its file is still in the sources')
            [CompletionResult]::new('--fallback', '--fallback', [CompletionResultType]::ParameterName, 'What to make where no hard link can be, on another file system or at the link limit: symlink, reflink or copy')
            [CompletionResult]::new('--rescan', '--rescan', [CompletionResultType]::ParameterName, 'With --watch: compare everything anew after this time, such as 30s, 10m or 1h')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file of the volume may have [default: 1024]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--every-name', '--every-name', [CompletionResultType]::ParameterName, 'Let a file with several names in the sources appear once for each of them')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Go on following sources and view, until Ctrl-C or SIGTERM')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Show sizes in bytes instead of KiB, MiB, GiB')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;dedupe' {
            [CompletionResult]::new('--min-size', '--min-size', [CompletionResultType]::ParameterName, 'Leave smaller files alone; K, M, G may follow the number')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Which of several identical files stays')
            [CompletionResult]::new('--ignore', '--ignore', [CompletionResultType]::ParameterName, 'What may differ; several are separated by commas')
            [CompletionResult]::new('--include', '--include', [CompletionResultType]::ParameterName, 'Take only what matches; may be given several times')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out what matches; may be given several times')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file of the volume may have [default: 1024]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Show sizes in bytes instead of KiB, MiB, GiB')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;split' {
            [CompletionResult]::new('--tree', '--tree', [CompletionResultType]::ParameterName, 'Split off every name below this directory; may be given several times')
            [CompletionResult]::new('--reflink', '--reflink', [CompletionResultType]::ParameterName, 'Whether copies share blocks with the original')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file of the volume may have [default: 1024]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--lossy', '--lossy', [CompletionResultType]::ParameterName, 'Make copies too that lack something of the original, and count them')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Show sizes in bytes instead of KiB, MiB, GiB')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;clone' {
            [CompletionResult]::new('--orphans', '--orphans', [CompletionResultType]::ParameterName, 'What happens to a name that should go and is the last one of its file')
            [CompletionResult]::new('--fallback', '--fallback', [CompletionResultType]::ParameterName, 'What to make where no hard link can be, on another file system or at the link limit: symlink, reflink or copy')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file of the volume may have [default: 1024]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--prune', '--prune', [CompletionResultType]::ParameterName, 'Treat DEST as a clone of SOURCE even if none of its names fits')
            [CompletionResult]::new('--keep-extra', '--keep-extra', [CompletionResultType]::ParameterName, 'Keep names in DEST that have no counterpart in SOURCE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;snapshot' {
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Which snapshots stay: last=N, hourly=N, daily=N, weekly=N, monthly=N, yearly=N, joined by commas')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name the snapshot in this way: fields as in ''date'', such as %Y-%m-%d')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file of the volume may have [default: 1024]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'List the snapshots in STORE, and make none')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Show sizes in bytes instead of KiB, MiB, GiB')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;usage' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Show directories down to this many levels below each PATH')
            [CompletionResult]::new('--depth', '--depth', [CompletionResultType]::ParameterName, 'Show directories down to this many levels below each PATH')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Show the first N rows only')
            [CompletionResult]::new('--top', '--top', [CompletionResultType]::ParameterName, 'Show the first N rows only')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'What to sort by: figures with the largest first, paths upwards')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'What to sort by: figures with the largest first, paths upwards')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Look into this NTFS volume instead: an image, a block device, or a bare $MFT; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--together', '--together', [CompletionResultType]::ParameterName, 'Take all PATHs as one set that would be deleted, and show the total only')
            [CompletionResult]::new('--cross-mounts', '--cross-mounts', [CompletionResultType]::ParameterName, 'Go into other file systems that are mounted below a PATH')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Show sizes in bytes instead of KiB, MiB, GiB')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;names' {
            [CompletionResult]::new('--in', '--in', [CompletionResultType]::ParameterName, 'Search below this directory only; may be given several times')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Look into this NTFS volume instead: an image, a block device, or a bare $MFT; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'End each name with a zero byte instead of a line feed, and escape nothing')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'End each name with a zero byte instead of a line feed, and escape nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;check' {
            [CompletionResult]::new('--ignore', '--ignore', [CompletionResultType]::ParameterName, 'In what a copy may differ from its source; several are separated by commas')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file of the volume may have [default: 1024]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--relink', '--relink', [CompletionResultType]::ParameterName, 'Make links of the copies')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'Show sizes in bytes instead of KiB, MiB, GiB')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;doctor' {
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;cost' {
            [CompletionResult]::new('--links', '--links', [CompletionResultType]::ParameterName, 'Further names for the one file [default: 1,023, or what the file system allows]')
            [CompletionResult]::new('--files', '--files', [CompletionResultType]::ParameterName, 'Files in the tree [default: 2034]')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Measure on a new NTFS volume in this file, which must not exist')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs' {
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('format', 'format', [CompletionResultType]::ParameterValue, 'Make an empty NTFS volume: an image file, or on a block device')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Show how a volume is laid out and in which state it is')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List a directory of a volume, or everything on it')
            [CompletionResult]::new('cat', 'cat', [CompletionResultType]::ParameterValue, 'Write a file''s content to the standard output')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Copy files out of a volume, hard links preserved')
            [CompletionResult]::new('put', 'put', [CompletionResultType]::ParameterValue, 'Copy files into a volume, hard links preserved')
            [CompletionResult]::new('mkdir', 'mkdir', [CompletionResultType]::ParameterValue, 'Make directories in a volume')
            [CompletionResult]::new('mv', 'mv', [CompletionResultType]::ParameterValue, 'Rename a file or a directory in a volume, or move it')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove names, and with -r whole directories, from a volume')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Show the record of a file: what a hard link is')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'polylink;ntfs;format' {
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Bytes of the image, as in 512M or 10G (powers of 1024)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'The label: up to 32 characters')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Bytes a cluster: 512 to 2M [default: 4096 up to 16 TiB, then as much as is needed]')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Bytes of a record of the Master File Table: 1024 or 4096 [default: 1024, or 4096 with large sectors]')
            [CompletionResult]::new('--sector', '--sector', [CompletionResultType]::ParameterName, 'Bytes a sector: 512 to 4096 [default: that of the device, else 512]')
            [CompletionResult]::new('--serial', '--serial', [CompletionResultType]::ParameterName, 'The serial number, up to 16 hexadecimal digits [default: a random one]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite what is there: all that it holds is lost')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;info' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;ls' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Show kind, links, size, allocated bytes, time of the last change and file id as well')
            [CompletionResult]::new('--long', '--long', [CompletionResultType]::ParameterName, 'Show kind, links, size, allocated bytes, time of the last change and file id as well')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'List everything below PATH')
            [CompletionResult]::new('--recursive', '--recursive', [CompletionResultType]::ParameterName, 'List everything below PATH')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'List the files of NTFS itself as well: $MFT, $Bitmap and the others')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'List the files of NTFS itself as well: $MFT, $Bitmap and the others')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;cat' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;get' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Copy a directory with all below it')
            [CompletionResult]::new('--recursive', '--recursive', [CompletionResultType]::ParameterName, 'Copy a directory with all below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;put' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file may have')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Copy a directory with all below it')
            [CompletionResult]::new('--recursive', '--recursive', [CompletionResultType]::ParameterName, 'Copy a directory with all below it')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;mkdir' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file may have')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Make the directories above as well, and take what is there already')
            [CompletionResult]::new('--parents', '--parents', [CompletionResultType]::ParameterName, 'Make the directories above as well, and take what is there already')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;mv' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file may have')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Let OLD take the place of another file''s name, atomically')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;rm' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--max-links', '--max-links', [CompletionResultType]::ParameterName, 'The most names that a file may have')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Write although the volume is marked as dirty, or its journal holds work that was not finished')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Remove directories with all below them')
            [CompletionResult]::new('--recursive', '--recursive', [CompletionResultType]::ParameterName, 'Remove directories with all below them')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;record' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;check' {
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'The partition, where IMG is a whole disk with several of them')
            [CompletionResult]::new('--most', '--most', [CompletionResultType]::ParameterName, 'Show so many issues at most; all are counted')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Repair what is damaged, say each thing that is done, and audit again')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what --fix would do, and what would be left, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what --fix would do, and what would be left, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;ntfs;help' {
            [CompletionResult]::new('format', 'format', [CompletionResultType]::ParameterValue, 'Make an empty NTFS volume: an image file, or on a block device')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Show how a volume is laid out and in which state it is')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List a directory of a volume, or everything on it')
            [CompletionResult]::new('cat', 'cat', [CompletionResultType]::ParameterValue, 'Write a file''s content to the standard output')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Copy files out of a volume, hard links preserved')
            [CompletionResult]::new('put', 'put', [CompletionResultType]::ParameterValue, 'Copy files into a volume, hard links preserved')
            [CompletionResult]::new('mkdir', 'mkdir', [CompletionResultType]::ParameterValue, 'Make directories in a volume')
            [CompletionResult]::new('mv', 'mv', [CompletionResultType]::ParameterValue, 'Rename a file or a directory in a volume, or move it')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove names, and with -r whole directories, from a volume')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Show the record of a file: what a hard link is')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'polylink;ntfs;help;format' {
            break
        }
        'polylink;ntfs;help;info' {
            break
        }
        'polylink;ntfs;help;ls' {
            break
        }
        'polylink;ntfs;help;cat' {
            break
        }
        'polylink;ntfs;help;get' {
            break
        }
        'polylink;ntfs;help;put' {
            break
        }
        'polylink;ntfs;help;mkdir' {
            break
        }
        'polylink;ntfs;help;mv' {
            break
        }
        'polylink;ntfs;help;rm' {
            break
        }
        'polylink;ntfs;help;record' {
            break
        }
        'polylink;ntfs;help;check' {
            break
        }
        'polylink;ntfs;help;help' {
            break
        }
        'polylink;completions' {
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;man' {
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show the progress of long work')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document instead of text')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results and errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'polylink;help' {
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show the whole story in a temporary folder: a tree, its flat view, and what both cost')
            [CompletionResult]::new('link', 'link', [CompletionResultType]::ParameterValue, 'Give a file one more name')
            [CompletionResult]::new('unlink', 'unlink', [CompletionResultType]::ParameterValue, 'Remove names, and ask before a file goes with its last one')
            [CompletionResult]::new('flat', 'flat', [CompletionResultType]::ParameterValue, 'Make or update a flat view: one directory with a name for every file of the sources')
            [CompletionResult]::new('dedupe', 'dedupe', [CompletionResultType]::ParameterValue, 'Make identical files names of one file')
            [CompletionResult]::new('split', 'split', [CompletionResultType]::ParameterValue, 'Give names that share a file a file each, the way back from hard links')
            [CompletionResult]::new('clone', 'clone', [CompletionResultType]::ParameterValue, 'Make a tree of hard links beside a tree, and keep it in step')
            [CompletionResult]::new('snapshot', 'snapshot', [CompletionResultType]::ParameterValue, 'Keep dated copies of a tree that share every file that has not changed')
            [CompletionResult]::new('usage', 'usage', [CompletionResultType]::ParameterValue, 'Show what names, files and directories really occupy, and what deleting them would free')
            [CompletionResult]::new('names', 'names', [CompletionResultType]::ParameterValue, 'Find every name of a file')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Tell which names of a view are links to a tree''s files, and which are copies')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Find out whether a view can be made, by making a link and removing it again')
            [CompletionResult]::new('cost', 'cost', [CompletionResultType]::ParameterValue, 'Measure what a hard link costs here')
            [CompletionResult]::new('ntfs', 'ntfs', [CompletionResultType]::ParameterValue, 'Make NTFS volumes, look into them and change them, without mounting them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write the manual pages into a directory')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'polylink;help;demo' {
            break
        }
        'polylink;help;link' {
            break
        }
        'polylink;help;unlink' {
            break
        }
        'polylink;help;flat' {
            break
        }
        'polylink;help;dedupe' {
            break
        }
        'polylink;help;split' {
            break
        }
        'polylink;help;clone' {
            break
        }
        'polylink;help;snapshot' {
            break
        }
        'polylink;help;usage' {
            break
        }
        'polylink;help;names' {
            break
        }
        'polylink;help;check' {
            break
        }
        'polylink;help;doctor' {
            break
        }
        'polylink;help;cost' {
            break
        }
        'polylink;help;ntfs' {
            [CompletionResult]::new('format', 'format', [CompletionResultType]::ParameterValue, 'Make an empty NTFS volume: an image file, or on a block device')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Show how a volume is laid out and in which state it is')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List a directory of a volume, or everything on it')
            [CompletionResult]::new('cat', 'cat', [CompletionResultType]::ParameterValue, 'Write a file''s content to the standard output')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Copy files out of a volume, hard links preserved')
            [CompletionResult]::new('put', 'put', [CompletionResultType]::ParameterValue, 'Copy files into a volume, hard links preserved')
            [CompletionResult]::new('mkdir', 'mkdir', [CompletionResultType]::ParameterValue, 'Make directories in a volume')
            [CompletionResult]::new('mv', 'mv', [CompletionResultType]::ParameterValue, 'Rename a file or a directory in a volume, or move it')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove names, and with -r whole directories, from a volume')
            [CompletionResult]::new('record', 'record', [CompletionResultType]::ParameterValue, 'Show the record of a file: what a hard link is')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix')
            break
        }
        'polylink;help;ntfs;format' {
            break
        }
        'polylink;help;ntfs;info' {
            break
        }
        'polylink;help;ntfs;ls' {
            break
        }
        'polylink;help;ntfs;cat' {
            break
        }
        'polylink;help;ntfs;get' {
            break
        }
        'polylink;help;ntfs;put' {
            break
        }
        'polylink;help;ntfs;mkdir' {
            break
        }
        'polylink;help;ntfs;mv' {
            break
        }
        'polylink;help;ntfs;rm' {
            break
        }
        'polylink;help;ntfs;record' {
            break
        }
        'polylink;help;ntfs;check' {
            break
        }
        'polylink;help;completions' {
            break
        }
        'polylink;help;man' {
            break
        }
        'polylink;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
