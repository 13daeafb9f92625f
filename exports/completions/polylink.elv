
use builtin;
use str;

set edit:completion:arg-completer[polylink] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'polylink'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'polylink'= {
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand demo 'Show the whole story in a temporary folder: a tree, its flat view, and what both cost'
            cand link 'Give a file one more name'
            cand unlink 'Remove names, and ask before a file goes with its last one'
            cand flat 'Make or update a flat view: one directory with a name for every file of the sources'
            cand dedupe 'Make identical files names of one file'
            cand split 'Give names that share a file a file each, the way back from hard links'
            cand clone 'Make a tree of hard links beside a tree, and keep it in step'
            cand snapshot 'Keep dated copies of a tree that share every file that has not changed'
            cand usage 'Show what names, files and directories really occupy, and what deleting them would free'
            cand names 'Find every name of a file'
            cand check 'Tell which names of a view are links to a tree''s files, and which are copies'
            cand doctor 'Find out whether a view can be made, by making a link and removing it again'
            cand cost 'Measure what a hard link costs here'
            cand ntfs 'Make NTFS volumes, look into them and change them, without mounting them'
            cand completions 'Print completions for a shell'
            cand man 'Write the manual pages into a directory'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'polylink;demo'= {
            cand --files 'How many files the tree has'
            cand --in 'Where to make the temporary folder [default: the system''s place for temporary files]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;link'= {
            cand --via 'Which of the system''s calls makes the link'
            cand --image 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file of the volume may have [default: 1024]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --replace 'Let NEW take the place of another file''s name, atomically'
            cand --follow 'Link what a symbolic link points at, not the symbolic link itself'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;unlink'= {
            cand --image 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file of the volume may have [default: 1024]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --all-names 'Remove every name of these files'
            cand -y 'Remove last names without asking'
            cand --yes 'Remove last names without asking'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;flat'= {
            cand --include 'Take only what matches; may be given several times'
            cand --exclude 'Leave out what matches; may be given several times'
            cand --name 'Form the names in this way'
            cand --orphans 'What happens to a view name that is the last one of its file: keep, delete, or move:DIR'
            cand --superseded 'What happens to the old version of a file saved by rename, where the view held its last name: drop, or move:DIR [default: as for orphans]'
            cand --deleted 'What happens when you deleted a name from the view and its file is still in the sources'
            cand --fallback 'What to make where no hard link can be, on another file system or at the link limit: symlink, reflink or copy'
            cand --rescan 'With --watch: compare everything anew after this time, such as 30s, 10m or 1h'
            cand --image 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file of the volume may have [default: 1024]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --every-name 'Let a file with several names in the sources appear once for each of them'
            cand --watch 'Go on following sources and view, until Ctrl-C or SIGTERM'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --bytes 'Show sizes in bytes instead of KiB, MiB, GiB'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;dedupe'= {
            cand --min-size 'Leave smaller files alone; K, M, G may follow the number'
            cand --keep 'Which of several identical files stays'
            cand --ignore 'What may differ; several are separated by commas'
            cand --include 'Take only what matches; may be given several times'
            cand --exclude 'Leave out what matches; may be given several times'
            cand --image 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file of the volume may have [default: 1024]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --bytes 'Show sizes in bytes instead of KiB, MiB, GiB'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;split'= {
            cand --tree 'Split off every name below this directory; may be given several times'
            cand --reflink 'Whether copies share blocks with the original'
            cand --image 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file of the volume may have [default: 1024]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --lossy 'Make copies too that lack something of the original, and count them'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --bytes 'Show sizes in bytes instead of KiB, MiB, GiB'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;clone'= {
            cand --orphans 'What happens to a name that should go and is the last one of its file'
            cand --fallback 'What to make where no hard link can be, on another file system or at the link limit: symlink, reflink or copy'
            cand --image 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file of the volume may have [default: 1024]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --prune 'Treat DEST as a clone of SOURCE even if none of its names fits'
            cand --keep-extra 'Keep names in DEST that have no counterpart in SOURCE'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;snapshot'= {
            cand --keep 'Which snapshots stay: last=N, hourly=N, daily=N, weekly=N, monthly=N, yearly=N, joined by commas'
            cand --name 'Name the snapshot in this way: fields as in ''date'', such as %Y-%m-%d'
            cand --image 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file of the volume may have [default: 1024]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --list 'List the snapshots in STORE, and make none'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --bytes 'Show sizes in bytes instead of KiB, MiB, GiB'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;usage'= {
            cand -d 'Show directories down to this many levels below each PATH'
            cand --depth 'Show directories down to this many levels below each PATH'
            cand -t 'Show the first N rows only'
            cand --top 'Show the first N rows only'
            cand -s 'What to sort by: figures with the largest first, paths upwards'
            cand --sort 'What to sort by: figures with the largest first, paths upwards'
            cand --image 'Look into this NTFS volume instead: an image, a block device, or a bare $MFT; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --together 'Take all PATHs as one set that would be deleted, and show the total only'
            cand --cross-mounts 'Go into other file systems that are mounted below a PATH'
            cand --bytes 'Show sizes in bytes instead of KiB, MiB, GiB'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;names'= {
            cand --in 'Search below this directory only; may be given several times'
            cand --image 'Look into this NTFS volume instead: an image, a block device, or a bare $MFT; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand -0 'End each name with a zero byte instead of a line feed, and escape nothing'
            cand --null 'End each name with a zero byte instead of a line feed, and escape nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;check'= {
            cand --ignore 'In what a copy may differ from its source; several are separated by commas'
            cand --image 'Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it'
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file of the volume may have [default: 1024]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --relink 'Make links of the copies'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --bytes 'Show sizes in bytes instead of KiB, MiB, GiB'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;doctor'= {
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;cost'= {
            cand --links 'Further names for the one file [default: 1,023, or what the file system allows]'
            cand --files 'Files in the tree [default: 2034]'
            cand --image 'Measure on a new NTFS volume in this file, which must not exist'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs'= {
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand format 'Make an empty NTFS volume: an image file, or on a block device'
            cand info 'Show how a volume is laid out and in which state it is'
            cand ls 'List a directory of a volume, or everything on it'
            cand cat 'Write a file''s content to the standard output'
            cand get 'Copy files out of a volume, hard links preserved'
            cand put 'Copy files into a volume, hard links preserved'
            cand mkdir 'Make directories in a volume'
            cand mv 'Rename a file or a directory in a volume, or move it'
            cand rm 'Remove names, and with -r whole directories, from a volume'
            cand record 'Show the record of a file: what a hard link is'
            cand check 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'polylink;ntfs;format'= {
            cand --size 'Bytes of the image, as in 512M or 10G (powers of 1024)'
            cand --label 'The label: up to 32 characters'
            cand --cluster 'Bytes a cluster: 512 to 2M [default: 4096 up to 16 TiB, then as much as is needed]'
            cand --record 'Bytes of a record of the Master File Table: 1024 or 4096 [default: 1024, or 4096 with large sectors]'
            cand --sector 'Bytes a sector: 512 to 4096 [default: that of the device, else 512]'
            cand --serial 'The serial number, up to 16 hexadecimal digits [default: a random one]'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --force 'Overwrite what is there: all that it holds is lost'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;info'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;ls'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand -l 'Show kind, links, size, allocated bytes, time of the last change and file id as well'
            cand --long 'Show kind, links, size, allocated bytes, time of the last change and file id as well'
            cand -R 'List everything below PATH'
            cand --recursive 'List everything below PATH'
            cand -a 'List the files of NTFS itself as well: $MFT, $Bitmap and the others'
            cand --all 'List the files of NTFS itself as well: $MFT, $Bitmap and the others'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;cat'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;get'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand -r 'Copy a directory with all below it'
            cand --recursive 'Copy a directory with all below it'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;put'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file may have'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand -r 'Copy a directory with all below it'
            cand --recursive 'Copy a directory with all below it'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;mkdir'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file may have'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand -p 'Make the directories above as well, and take what is there already'
            cand --parents 'Make the directories above as well, and take what is there already'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;mv'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file may have'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand --replace 'Let OLD take the place of another file''s name, atomically'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;rm'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --max-links 'The most names that a file may have'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --force 'Write although the volume is marked as dirty, or its journal holds work that was not finished'
            cand -r 'Remove directories with all below them'
            cand --recursive 'Remove directories with all below them'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;record'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;check'= {
            cand --partition 'The partition, where IMG is a whole disk with several of them'
            cand --most 'Show so many issues at most; all are counted'
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --fix 'Repair what is damaged, say each thing that is done, and audit again'
            cand -n 'Show what --fix would do, and what would be left, and change nothing'
            cand --dry-run 'Show what --fix would do, and what would be left, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;ntfs;help'= {
            cand format 'Make an empty NTFS volume: an image file, or on a block device'
            cand info 'Show how a volume is laid out and in which state it is'
            cand ls 'List a directory of a volume, or everything on it'
            cand cat 'Write a file''s content to the standard output'
            cand get 'Copy files out of a volume, hard links preserved'
            cand put 'Copy files into a volume, hard links preserved'
            cand mkdir 'Make directories in a volume'
            cand mv 'Rename a file or a directory in a volume, or move it'
            cand rm 'Remove names, and with -r whole directories, from a volume'
            cand record 'Show the record of a file: what a hard link is'
            cand check 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'polylink;ntfs;help;format'= {
        }
        &'polylink;ntfs;help;info'= {
        }
        &'polylink;ntfs;help;ls'= {
        }
        &'polylink;ntfs;help;cat'= {
        }
        &'polylink;ntfs;help;get'= {
        }
        &'polylink;ntfs;help;put'= {
        }
        &'polylink;ntfs;help;mkdir'= {
        }
        &'polylink;ntfs;help;mv'= {
        }
        &'polylink;ntfs;help;rm'= {
        }
        &'polylink;ntfs;help;record'= {
        }
        &'polylink;ntfs;help;check'= {
        }
        &'polylink;ntfs;help;help'= {
        }
        &'polylink;completions'= {
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;man'= {
            cand --progress 'When to show the progress of long work'
            cand --color 'When to use colour'
            cand -n 'Show what would be done, and change nothing'
            cand --dry-run 'Show what would be done, and change nothing'
            cand --json 'Print one JSON document instead of text'
            cand -q 'Print results and errors only'
            cand --quiet 'Print results and errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'polylink;help'= {
            cand demo 'Show the whole story in a temporary folder: a tree, its flat view, and what both cost'
            cand link 'Give a file one more name'
            cand unlink 'Remove names, and ask before a file goes with its last one'
            cand flat 'Make or update a flat view: one directory with a name for every file of the sources'
            cand dedupe 'Make identical files names of one file'
            cand split 'Give names that share a file a file each, the way back from hard links'
            cand clone 'Make a tree of hard links beside a tree, and keep it in step'
            cand snapshot 'Keep dated copies of a tree that share every file that has not changed'
            cand usage 'Show what names, files and directories really occupy, and what deleting them would free'
            cand names 'Find every name of a file'
            cand check 'Tell which names of a view are links to a tree''s files, and which are copies'
            cand doctor 'Find out whether a view can be made, by making a link and removing it again'
            cand cost 'Measure what a hard link costs here'
            cand ntfs 'Make NTFS volumes, look into them and change them, without mounting them'
            cand completions 'Print completions for a shell'
            cand man 'Write the manual pages into a directory'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'polylink;help;demo'= {
        }
        &'polylink;help;link'= {
        }
        &'polylink;help;unlink'= {
        }
        &'polylink;help;flat'= {
        }
        &'polylink;help;dedupe'= {
        }
        &'polylink;help;split'= {
        }
        &'polylink;help;clone'= {
        }
        &'polylink;help;snapshot'= {
        }
        &'polylink;help;usage'= {
        }
        &'polylink;help;names'= {
        }
        &'polylink;help;check'= {
        }
        &'polylink;help;doctor'= {
        }
        &'polylink;help;cost'= {
        }
        &'polylink;help;ntfs'= {
            cand format 'Make an empty NTFS volume: an image file, or on a block device'
            cand info 'Show how a volume is laid out and in which state it is'
            cand ls 'List a directory of a volume, or everything on it'
            cand cat 'Write a file''s content to the standard output'
            cand get 'Copy files out of a volume, hard links preserved'
            cand put 'Copy files into a volume, hard links preserved'
            cand mkdir 'Make directories in a volume'
            cand mv 'Rename a file or a directory in a volume, or move it'
            cand rm 'Remove names, and with -r whole directories, from a volume'
            cand record 'Show the record of a file: what a hard link is'
            cand check 'Audit a volume: link counts, names, directories, bitmaps; repair it with --fix'
        }
        &'polylink;help;ntfs;format'= {
        }
        &'polylink;help;ntfs;info'= {
        }
        &'polylink;help;ntfs;ls'= {
        }
        &'polylink;help;ntfs;cat'= {
        }
        &'polylink;help;ntfs;get'= {
        }
        &'polylink;help;ntfs;put'= {
        }
        &'polylink;help;ntfs;mkdir'= {
        }
        &'polylink;help;ntfs;mv'= {
        }
        &'polylink;help;ntfs;rm'= {
        }
        &'polylink;help;ntfs;record'= {
        }
        &'polylink;help;ntfs;check'= {
        }
        &'polylink;help;completions'= {
        }
        &'polylink;help;man'= {
        }
        &'polylink;help;help'= {
        }
    ]
    $completions[$command]
}
