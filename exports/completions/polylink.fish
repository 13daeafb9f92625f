# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_polylink_global_optspecs
    string join \n json q/quiet progress= color= h/help V/version
end

function __fish_polylink_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_polylink_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_polylink_using_subcommand
    set -l cmd (__fish_polylink_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c polylink -n "__fish_polylink_needs_command" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_needs_command" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_needs_command" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_needs_command" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "demo" -d 'Show the whole story in a temporary folder: a tree, its flat view, and what both cost'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "link" -d 'Give a file one more name'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "unlink" -d 'Remove names, and ask before a file goes with its last one'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "flat" -d 'Make or update a flat view: one directory with a name for every file of the sources'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "dedupe" -d 'Make identical files names of one file'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "split" -d 'Give names that share a file a file each, the way back from hard links'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "clone" -d 'Make a tree of hard links beside a tree, and keep it in step'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "snapshot" -d 'Keep dated copies of a tree that share every file that has not changed'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "usage" -d 'Show what names, files and directories really occupy, and what deleting them would free'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "names" -d 'Find every name of a file'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "check" -d 'Tell which names of a view are links to a tree\'s files, and which are copies'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "doctor" -d 'Find out whether a view can be made, by making a link and removing it again'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "cost" -d 'Measure what a hard link costs here'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "ntfs" -d 'Make NTFS volumes, look into them and change them, without mounting them'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "man" -d 'Write the manual pages into a directory'
complete -c polylink -n "__fish_polylink_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c polylink -n "__fish_polylink_using_subcommand demo" -l files -d 'How many files the tree has' -r
complete -c polylink -n "__fish_polylink_using_subcommand demo" -l in -d 'Where to make the temporary folder [default: the system\'s place for temporary files]' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand demo" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand demo" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand demo" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand demo" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand demo" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand demo" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand link" -l via -d 'Which of the system\'s calls makes the link' -r -f -a "auto\t'The usual one here: create, and on Windows native with --replace'
create\t'link(2) on Unix, CreateHardLink on Windows'
native\t'NtSetInformationFile with FileLinkInformation (Windows)'
move\t'MoveFileEx with MOVEFILE_CREATE_HARDLINK (Windows)'"
complete -c polylink -n "__fish_polylink_using_subcommand link" -l image -d 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand link" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand link" -l max-links -d 'The most names that a file of the volume may have [default: 1024]' -r
complete -c polylink -n "__fish_polylink_using_subcommand link" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand link" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand link" -l replace -d 'Let NEW take the place of another file\'s name, atomically'
complete -c polylink -n "__fish_polylink_using_subcommand link" -l follow -d 'Link what a symbolic link points at, not the symbolic link itself'
complete -c polylink -n "__fish_polylink_using_subcommand link" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand link" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand link" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand link" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand link" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand link" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -l image -d 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -l max-links -d 'The most names that a file of the volume may have [default: 1024]' -r
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -l all-names -d 'Remove every name of these files'
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -s y -l yes -d 'Remove last names without asking'
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand unlink" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l include -d 'Take only what matches; may be given several times' -r
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l exclude -d 'Leave out what matches; may be given several times' -r
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l name -d 'Form the names in this way' -r
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l orphans -d 'What happens to a view name that is the last one of its file: keep, delete, or move:DIR' -r
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l superseded -d 'What happens to the old version of a file saved by rename, where the view held its last name: drop, or move:DIR [default: as for orphans]' -r
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l deleted -d 'What happens when you deleted a name from the view and its file is still in the sources' -r -f -a "restore\t'The name is made again'
remember\t'The name stays away for as long as the file exists'
delete-source\t'The file is deleted from the sources too'"
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l fallback -d 'What to make where no hard link can be, on another file system or at the link limit: symlink, reflink or copy' -r -f -a "symlink\t'A symbolic link: it leads nowhere once its source is gone'
reflink\t'A copy that shares its blocks with the source, or nothing where the file system cannot do that'
copy\t'A copy; blocks are shared where the file system can do that'"
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l rescan -d 'With --watch: compare everything anew after this time, such as 30s, 10m or 1h' -r
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l image -d 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l max-links -d 'The most names that a file of the volume may have [default: 1024]' -r
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l every-name -d 'Let a file with several names in the sources appear once for each of them'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l watch -d 'Go on following sources and view, until Ctrl-C or SIGTERM'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l bytes -d 'Show sizes in bytes instead of KiB, MiB, GiB'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand flat" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l min-size -d 'Leave smaller files alone; K, M, G may follow the number' -r
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l keep -d 'Which of several identical files stays' -r -f -a "auto\t'The one that lets the most be freed, then the one that moves the fewest names'
first\t'The one that comes first: PATHs in their order, below each in path order'
oldest\t'The one that was changed longest ago'
newest\t'The one that was changed last'
most-links\t'The one with the most names, wherever they are'"
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l ignore -d 'What may differ; several are separated by commas' -r -f -a "mode\t'Permissions; on NTFS the attributes'
owner\t'User and group'
times\t'When it was last changed'
xattrs\t'Extended attributes and access lists; on NTFS the alternate data streams'"
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l include -d 'Take only what matches; may be given several times' -r
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l exclude -d 'Leave out what matches; may be given several times' -r
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l image -d 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l max-links -d 'The most names that a file of the volume may have [default: 1024]' -r
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l bytes -d 'Show sizes in bytes instead of KiB, MiB, GiB'
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand dedupe" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand split" -l tree -d 'Split off every name below this directory; may be given several times' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand split" -l reflink -d 'Whether copies share blocks with the original' -r -f -a "auto\t'Where the file system can'
always\t'Or the name is left as it is'
never\t'Every byte is written anew'"
complete -c polylink -n "__fish_polylink_using_subcommand split" -l image -d 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand split" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand split" -l max-links -d 'The most names that a file of the volume may have [default: 1024]' -r
complete -c polylink -n "__fish_polylink_using_subcommand split" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand split" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand split" -l lossy -d 'Make copies too that lack something of the original, and count them'
complete -c polylink -n "__fish_polylink_using_subcommand split" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand split" -l bytes -d 'Show sizes in bytes instead of KiB, MiB, GiB'
complete -c polylink -n "__fish_polylink_using_subcommand split" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand split" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand split" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand split" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand split" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l orphans -d 'What happens to a name that should go and is the last one of its file' -r -f -a "keep\t'It stays and is reported'
delete\t'It is removed, and with it the file'"
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l fallback -d 'What to make where no hard link can be, on another file system or at the link limit: symlink, reflink or copy' -r -f -a "symlink\t'A symbolic link: it leads nowhere once its source is gone'
reflink\t'A copy that shares its blocks with the source, or nothing where the file system cannot do that'
copy\t'A copy; blocks are shared where the file system can do that'"
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l image -d 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l max-links -d 'The most names that a file of the volume may have [default: 1024]' -r
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l prune -d 'Treat DEST as a clone of SOURCE even if none of its names fits'
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l keep-extra -d 'Keep names in DEST that have no counterpart in SOURCE'
complete -c polylink -n "__fish_polylink_using_subcommand clone" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand clone" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand clone" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand clone" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand clone" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l keep -d 'Which snapshots stay: last=N, hourly=N, daily=N, weekly=N, monthly=N, yearly=N, joined by commas' -r
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l name -d 'Name the snapshot in this way: fields as in \'date\', such as %Y-%m-%d' -r
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l image -d 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l max-links -d 'The most names that a file of the volume may have [default: 1024]' -r
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l list -d 'List the snapshots in STORE, and make none'
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l bytes -d 'Show sizes in bytes instead of KiB, MiB, GiB'
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand snapshot" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand usage" -s d -l depth -d 'Show directories down to this many levels below each PATH' -r
complete -c polylink -n "__fish_polylink_using_subcommand usage" -s t -l top -d 'Show the first N rows only' -r
complete -c polylink -n "__fish_polylink_using_subcommand usage" -s s -l sort -d 'What to sort by: figures with the largest first, paths upwards' -r -f -a "path\t''
names\t''
files\t''
logical\t''
disk\t''
exclusive\t'What deleting would free'
shared\t''"
complete -c polylink -n "__fish_polylink_using_subcommand usage" -l image -d 'Look into this NTFS volume instead: an image, a block device, or a bare $MFT; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand usage" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand usage" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand usage" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand usage" -l together -d 'Take all PATHs as one set that would be deleted, and show the total only'
complete -c polylink -n "__fish_polylink_using_subcommand usage" -l cross-mounts -d 'Go into other file systems that are mounted below a PATH'
complete -c polylink -n "__fish_polylink_using_subcommand usage" -l bytes -d 'Show sizes in bytes instead of KiB, MiB, GiB'
complete -c polylink -n "__fish_polylink_using_subcommand usage" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand usage" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand usage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand usage" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand names" -l in -d 'Search below this directory only; may be given several times' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand names" -l image -d 'Look into this NTFS volume instead: an image, a block device, or a bare $MFT; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand names" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand names" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand names" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand names" -s 0 -l null -d 'End each name with a zero byte instead of a line feed, and escape nothing'
complete -c polylink -n "__fish_polylink_using_subcommand names" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand names" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand names" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand names" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand check" -l ignore -d 'In what a copy may differ from its source; several are separated by commas' -r -f -a "mode\t'Permissions; on NTFS the attributes'
owner\t'User and group'
times\t'When it was last changed'
xattrs\t'Extended attributes and access lists; on NTFS the alternate data streams'"
complete -c polylink -n "__fish_polylink_using_subcommand check" -l image -d 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand check" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand check" -l max-links -d 'The most names that a file of the volume may have [default: 1024]' -r
complete -c polylink -n "__fish_polylink_using_subcommand check" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand check" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand check" -l relink -d 'Make links of the copies'
complete -c polylink -n "__fish_polylink_using_subcommand check" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand check" -l bytes -d 'Show sizes in bytes instead of KiB, MiB, GiB'
complete -c polylink -n "__fish_polylink_using_subcommand check" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand check" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand check" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand check" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand doctor" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand doctor" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand doctor" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand doctor" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand doctor" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand cost" -l links -d 'Further names for the one file [default: 1,023, or what the file system allows]' -r
complete -c polylink -n "__fish_polylink_using_subcommand cost" -l files -d 'Files in the tree [default: 2034]' -r
complete -c polylink -n "__fish_polylink_using_subcommand cost" -l image -d 'Measure on a new NTFS volume in this file, which must not exist' -r -F
complete -c polylink -n "__fish_polylink_using_subcommand cost" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand cost" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand cost" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand cost" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand cost" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand cost" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand cost" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "format" -d 'Make an empty NTFS volume: an image file, or on a block device'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "info" -d 'Show how a volume is laid out and in which state it is'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "ls" -d 'List a directory of a volume, or everything on it'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "cat" -d 'Write a file\'s content to the standard output'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "get" -d 'Copy files out of a volume, hard links preserved'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "put" -d 'Copy files into a volume, hard links preserved'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "mkdir" -d 'Make directories in a volume'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "mv" -d 'Rename a file or a directory in a volume, or move it'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "rm" -d 'Remove names, and with -r whole directories, from a volume'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "record" -d 'Show the record of a file: what a hard link is'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "check" -d 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and not __fish_seen_subcommand_from format info ls cat get put mkdir mv rm record check help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l size -d 'Bytes of the image, as in 512M or 10G (powers of 1024)' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l label -d 'The label: up to 32 characters' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l cluster -d 'Bytes a cluster: 512 to 2M [default: 4096 up to 16 TiB, then as much as is needed]' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l record -d 'Bytes of a record of the Master File Table: 1024 or 4096 [default: 1024, or 4096 with large sectors]' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l sector -d 'Bytes a sector: 512 to 4096 [default: that of the device, else 512]' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l serial -d 'The serial number, up to 16 hexadecimal digits [default: a random one]' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l force -d 'Overwrite what is there: all that it holds is lost'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from format" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from info" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from info" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from info" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from info" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from info" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -s l -l long -d 'Show kind, links, size, allocated bytes, time of the last change and file id as well'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -s R -l recursive -d 'List everything below PATH'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -s a -l all -d 'List the files of NTFS itself as well: $MFT, $Bitmap and the others'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from cat" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from cat" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from cat" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from cat" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from cat" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from cat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from cat" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from get" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from get" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from get" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from get" -s r -l recursive -d 'Copy a directory with all below it'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from get" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -l max-links -d 'The most names that a file may have' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -s r -l recursive -d 'Copy a directory with all below it'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from put" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -l max-links -d 'The most names that a file may have' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -s p -l parents -d 'Make the directories above as well, and take what is there already'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mkdir" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -l max-links -d 'The most names that a file may have' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -l replace -d 'Let OLD take the place of another file\'s name, atomically'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from mv" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -l max-links -d 'The most names that a file may have' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -l force -d 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -s r -l recursive -d 'Remove directories with all below them'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from record" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from record" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from record" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from record" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from record" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from record" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from record" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -l partition -d 'The partition, where IMG is a whole disk with several of them' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -l most -d 'Show so many issues at most; all are counted' -r
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -l fix -d 'Repair what is damaged, say each thing that is done, and audit again'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -s n -l dry-run -d 'Show what --fix would do, and what would be left, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "format" -d 'Make an empty NTFS volume: an image file, or on a block device'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "info" -d 'Show how a volume is laid out and in which state it is'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "ls" -d 'List a directory of a volume, or everything on it'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "cat" -d 'Write a file\'s content to the standard output'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "get" -d 'Copy files out of a volume, hard links preserved'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "put" -d 'Copy files into a volume, hard links preserved'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "mkdir" -d 'Make directories in a volume'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "mv" -d 'Rename a file or a directory in a volume, or move it'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "rm" -d 'Remove names, and with -r whole directories, from a volume'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "record" -d 'Show the record of a file: what a hard link is'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "check" -d 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix'
complete -c polylink -n "__fish_polylink_using_subcommand ntfs; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c polylink -n "__fish_polylink_using_subcommand completions" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand completions" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand completions" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand completions" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand man" -l progress -d 'When to show the progress of long work' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal'
always\t'Wherever the output goes'
never\t'Not at all'"
complete -c polylink -n "__fish_polylink_using_subcommand man" -s n -l dry-run -d 'Show what would be done, and change nothing'
complete -c polylink -n "__fish_polylink_using_subcommand man" -l json -d 'Print one JSON document instead of text'
complete -c polylink -n "__fish_polylink_using_subcommand man" -s q -l quiet -d 'Print results and errors only'
complete -c polylink -n "__fish_polylink_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c polylink -n "__fish_polylink_using_subcommand man" -s V -l version -d 'Print version'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "demo" -d 'Show the whole story in a temporary folder: a tree, its flat view, and what both cost'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "link" -d 'Give a file one more name'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "unlink" -d 'Remove names, and ask before a file goes with its last one'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "flat" -d 'Make or update a flat view: one directory with a name for every file of the sources'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "dedupe" -d 'Make identical files names of one file'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "split" -d 'Give names that share a file a file each, the way back from hard links'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "clone" -d 'Make a tree of hard links beside a tree, and keep it in step'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "snapshot" -d 'Keep dated copies of a tree that share every file that has not changed'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "usage" -d 'Show what names, files and directories really occupy, and what deleting them would free'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "names" -d 'Find every name of a file'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "check" -d 'Tell which names of a view are links to a tree\'s files, and which are copies'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "doctor" -d 'Find out whether a view can be made, by making a link and removing it again'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "cost" -d 'Measure what a hard link costs here'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "ntfs" -d 'Make NTFS volumes, look into them and change them, without mounting them'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "completions" -d 'Print completions for a shell'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "man" -d 'Write the manual pages into a directory'
complete -c polylink -n "__fish_polylink_using_subcommand help; and not __fish_seen_subcommand_from demo link unlink flat dedupe split clone snapshot usage names check doctor cost ntfs completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "format" -d 'Make an empty NTFS volume: an image file, or on a block device'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "info" -d 'Show how a volume is laid out and in which state it is'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "ls" -d 'List a directory of a volume, or everything on it'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "cat" -d 'Write a file\'s content to the standard output'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "get" -d 'Copy files out of a volume, hard links preserved'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "put" -d 'Copy files into a volume, hard links preserved'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "mkdir" -d 'Make directories in a volume'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "mv" -d 'Rename a file or a directory in a volume, or move it'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "rm" -d 'Remove names, and with -r whole directories, from a volume'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "record" -d 'Show the record of a file: what a hard link is'
complete -c polylink -n "__fish_polylink_using_subcommand help; and __fish_seen_subcommand_from ntfs" -f -a "check" -d 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix'
