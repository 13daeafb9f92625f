//! `polylink ntfs`: the volume itself.

mod cat;
mod change;
mod check;
mod format;
mod get;
mod info;
mod ls;
mod mkdir;
mod mv;
mod put;
mod record;
mod rm;
mod text;

use clap::{Args, Subcommand};

use super::Context;
use crate::error::{CommandError, Outcome};

/// Make NTFS volumes, look into them and change them, without mounting them
///
/// IMG is an image of a volume or of a whole disk, a block device, or to be read a bare $MFT. Nothing on it is changed
/// but by `format`, `put`, `mkdir`, `mv`, `rm` and `check --fix`, and no driver and no right but that to IMG is needed.
/// Paths inside the volume begin at its root, and `/` separates.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true, after_long_help = EXAMPLES)]
pub(crate) struct NtfsArgs {
    #[command(subcommand)]
    command: NtfsCommand,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs format disk.img --size 10G
  polylink ntfs info disk.img
  polylink ntfs ls -lR disk.img /photos
  polylink ntfs get -r disk.img /photos ~/rescued
  polylink ntfs put -r disk.img ~/photos /
  polylink ntfs check --partition 2 /dev/sdb";

#[derive(Debug, Subcommand)]
enum NtfsCommand {
    Format(format::FormatArgs),
    Info(info::InfoArgs),
    Ls(ls::LsArgs),
    Cat(cat::CatArgs),
    Get(get::GetArgs),
    Put(put::PutArgs),
    Mkdir(mkdir::MkdirArgs),
    Mv(mv::MvArgs),
    Rm(rm::RmArgs),
    Record(record::RecordArgs),
    Check(check::CheckArgs),
}

impl NtfsArgs {
    pub(crate) fn name(&self) -> &'static str {
        match &self.command {
            NtfsCommand::Format(_) => "ntfs format",
            NtfsCommand::Info(_) => "ntfs info",
            NtfsCommand::Ls(_) => "ntfs ls",
            NtfsCommand::Cat(_) => "ntfs cat",
            NtfsCommand::Get(_) => "ntfs get",
            NtfsCommand::Put(_) => "ntfs put",
            NtfsCommand::Mkdir(_) => "ntfs mkdir",
            NtfsCommand::Mv(_) => "ntfs mv",
            NtfsCommand::Rm(_) => "ntfs rm",
            NtfsCommand::Record(_) => "ntfs record",
            NtfsCommand::Check(_) => "ntfs check",
        }
    }
}

pub(super) fn run(context: &Context<'_>, args: &NtfsArgs) -> Result<Outcome, CommandError> {
    match &args.command {
        NtfsCommand::Format(args) => format::run(context, args),
        NtfsCommand::Info(args) => info::run(context, args),
        NtfsCommand::Ls(args) => ls::run(context, args),
        NtfsCommand::Cat(args) => cat::run(context, args),
        NtfsCommand::Get(args) => get::run(context, args),
        NtfsCommand::Put(args) => put::run(context, args),
        NtfsCommand::Mkdir(args) => mkdir::run(context, args),
        NtfsCommand::Mv(args) => mv::run(context, args),
        NtfsCommand::Rm(args) => rm::run(context, args),
        NtfsCommand::Record(args) => record::run(context, args),
        NtfsCommand::Check(args) => check::run(context, args),
    }
}
