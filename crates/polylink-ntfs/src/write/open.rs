//! Opening a volume to be written: when that is refused, and what is done before the first write and after the last.

use std::io;
use std::mem::offset_of;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use polylink_nt::NtStatus;

use super::LINK_LIMIT;
use super::attributes;
use super::bits::{Bits, Free};
use super::bytes::{put_u16, wide};
use super::cache::{Cache, Class};
use super::commit::KEPT;
use super::state::State;
use crate::device::Device;
use crate::error::{Error, NotWritable, Result};
use crate::geometry::Geometry;
use crate::layout::attribute::AttributeKind;
use crate::layout::value::VolumeInformation;
use crate::runs::RunList;
use crate::state::{Hibernation, LogState};
use crate::units::RecordNumber;
use crate::volume::{Note, OpenOptions, Volume, VolumeFlags};

/// How a volume is opened to be written.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// The most names of a file, 8.3 twins not counted: 1,024, as on Windows. More can be read by every driver, and made
    /// by none but Linux's.
    pub max_links: u32,
    /// Write although the volume is dirty or its journal holds work: that work is lost then.
    pub force: bool,
    /// What the time is, in 100 ns since 1601; `None` for the system's clock.
    pub now: Option<u64>,
    /// Bytes of changes that are gathered before they are written.
    pub batch: usize,
    /// Blocks that lie side by side are written together.
    pub coalesce: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            max_links: LINK_LIMIT,
            force: false,
            now: None,
            batch: 128 << 20,
            coalesce: true,
        }
    }
}

/// A volume that is written.
///
/// Changes are seen by everybody who reads through it at once, and are safe after [`Writer::sync`]. Whoever is done calls
/// [`Writer::close`]: without it the volume stays marked as dirty.
#[derive(Debug)]
pub struct Writer {
    inner: Mutex<Inner>,
    size: u64,
    geometry: Geometry,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) state: State,
    pub(crate) options: WriteOptions,
    failed: Option<String>,
    /// The volume is marked as dirty, by us.
    begun: bool,
    /// It was marked before.
    was_dirty: bool,
    /// Where the journal lies, where it holds anything.
    journal: Option<RunList>,
}

/// 1970 in 100 ns since 1601.
const EPOCH: u64 = 116_444_736_000_000_000;

impl Inner {
    /// What the time is.
    pub(crate) fn now(&self) -> u64 {
        self.options.now.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let ticks = u64::try_from(since.as_nanos() / 100).unwrap_or(0);
            EPOCH.saturating_add(ticks)
        })
    }

    fn mark(&mut self, dirty: bool) -> Result<()> {
        let kind = AttributeKind::VOLUME_INFORMATION;
        self.state.begin();
        let record = self.state.record_mut(RecordNumber::VOLUME, Class::Allocate)?;
        let place = attributes::attributes(record)
            .flatten()
            .find(|attribute| attribute.kind() == kind)
            .and_then(|attribute| Some((attribute.offset(), attribute.resident()?.to_vec())));
        let Some((at, mut value)) = place else {
            return Err(crate::error::Corrupt::new(crate::error::CorruptKind::Missing { kind }).into());
        };
        let field = offset_of!(VolumeInformation, flags);
        let mut flags = VolumeFlags::from_bits_retain(super::bytes::get_u16(&value, field));
        flags.set(VolumeFlags::DIRTY, dirty);
        put_u16(&mut value, field, flags.bits());
        let attribute = attributes::resident(kind, &[], &value);
        attributes::replace(record, at, &attribute)
            .map_err(|attributes::NoRoom| Error::from(NtStatus::DISK_FULL))?;
        self.state.cache.keep();
        self.state.cache.commit_class(Class::Allocate)
    }

    /// Before the first write: whoever finds the volume from now on knows that it was being written, and no driver
    /// repeats old work from the journal.
    fn begin(&mut self) -> Result<()> {
        if self.begun {
            return Ok(());
        }
        if !self.was_dirty {
            self.mark(true)?;
        }
        self.begun = true;
        if let Some(runs) = self.journal.take() {
            let cluster = u64::from(self.state.geometry.cluster);
            let ones = vec![0xFF; 1 << 20];
            for extent in runs.extents() {
                let Some(lcn) = extent.lcn else { continue };
                let mut at = lcn.0.saturating_mul(cluster);
                let end = at.saturating_add(extent.len.saturating_mul(cluster));
                while at < end {
                    let here = super::bytes::size(end.saturating_sub(at)).min(ones.len());
                    let part = ones.get(..here).unwrap_or_default();
                    self.state.cache.write_now(at, part)?;
                    at = at.saturating_add(wide(here));
                }
            }
            self.state.cache.flush()?;
        }
        self.state.settle_bitmap()?;
        self.state.settle_reserve()
    }

    /// Marks clusters as used before any is taken, and begins.
    pub(super) fn mark_before_start(&mut self, spans: &[(u64, u64)]) -> Result<()> {
        self.check()?;
        let marked = self.mark_clusters(spans);
        self.guard(marked)
    }

    fn mark_clusters(&mut self, spans: &[(u64, u64)]) -> Result<()> {
        if !self.begun && !self.was_dirty {
            self.mark(true)?;
        }
        self.state.begin();
        for &(start, len) in spans {
            let state = &mut self.state;
            state
                .clusters
                .set(&mut state.cache, Free { start, len }, true, Class::Allocate)?;
        }
        self.state.cache.keep();
        self.state.cache.commit_class(Class::Allocate)?;
        self.begin()
    }

    fn guard<T>(&mut self, result: Result<T>) -> Result<T> {
        // after a write that failed nobody knows what the device holds
        if let Err(Error::Device { action, .. }) = &result
            && *action != "read"
            && let Err(error) = &result
        {
            self.failed = Some(chain(error));
        }
        result
    }

    fn check(&self) -> Result<()> {
        match &self.failed {
            Some(reason) => Err(Error::Failed {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }

    fn commit(&mut self) -> Result<()> {
        let result = self.state.commit();
        if let Err(error @ (Error::Device { .. } | Error::Conflict)) = &result {
            // a half of it may be there
            self.failed = Some(chain(error));
        }
        result
    }

    pub(super) fn run<T>(&mut self, op: &mut dyn FnMut(&mut Self) -> Result<T>) -> Result<T> {
        self.check()?;
        let begun = self.begin();
        self.guard(begun)?;
        let mut retries = 0_u32;
        loop {
            self.state.begin();
            let error = match op(self) {
                Ok(value) => {
                    self.state.cache.keep();
                    if self.state.cache.held() > self.options.batch {
                        self.commit()?;
                    }
                    return Ok(value);
                }
                Err(error) => error,
            };
            self.state.roll_back();
            retries = retries.saturating_add(1);
            let again = match &error {
                Error::Conflict if retries <= 4 => {
                    if self.state.want_records {
                        let grown = self.state.grow_table();
                        match self.guard(grown) {
                            Ok(()) => true,
                            Err(Error::Refused(status)) if !self.state.is_clean() && retries <= 1 => {
                                // what waits to become free may be enough
                                let _: NtStatus = status;
                                self.commit()?;
                                true
                            }
                            Err(error) => return Err(error),
                        }
                    } else {
                        self.commit()?;
                        true
                    }
                }
                Error::Refused(NtStatus::DISK_FULL) if retries <= 1 && !self.state.is_clean() => {
                    self.commit()?;
                    true
                }
                _ => false,
            };
            if !again {
                self.state.want_records = false;
                return self.guard(Err(error));
            }
        }
    }
}

/// An error with all that caused it.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Whether nobody has work on the volume that is not finished; how its journal is.
fn quiet(volume: &Volume, options: &WriteOptions, mending: bool) -> Result<LogState> {
    let sleep = match volume.hibernation() {
        // what is to be mended may be the root directory, and the file is known by its name too
        Err(Error::Corrupt(_) | Error::Unsupported(_)) if mending => volume.hibernation_by_records(),
        sleep => sleep,
    };
    if sleep? == Hibernation::Asleep {
        return Err(NotWritable::Hibernated.into());
    }
    let log = volume.log_state()?;
    match &log {
        LogState::Active { .. } if !options.force => return Err(NotWritable::LogActive.into()),
        LogState::Damaged { reason } if !options.force => {
            let reason = reason.clone();
            return Err(NotWritable::LogDamaged { reason }.into());
        }
        _ => {}
    }
    Ok(log)
}

/// Whether nobody has work on a volume that is not finished, by what can be read of it.
pub(crate) fn is_quiet(volume: &Volume, options: &WriteOptions) -> Result<()> {
    quiet(volume, options, true).map(|_| ())
}

/// Whether a volume may be written, and where its journal lies if that holds anything. That it is dirty is in nobody's
/// way who comes to mend it.
fn permitted(volume: &Volume, options: &WriteOptions, mending: bool) -> Result<(bool, Option<RunList>)> {
    let copied = |note: &&Note| matches!(note, Note::BackupBootSector { .. } | Note::MirrorRecord { .. });
    if let Some(note) = volume.notes().iter().find(|note| !mending || !copied(note)) {
        let reason = note.to_string();
        return Err(NotWritable::Damaged { reason }.into());
    }
    let (version, flags) = volume.information()?;
    let harmless = VolumeFlags::DIRTY
        | VolumeFlags::MOUNTED_ON_NT4
        | VolumeFlags::NO_SHORT_NAMES
        | VolumeFlags::MODIFIED_BY_CHKDSK;
    if !harmless.contains(flags) {
        let flags = flags.bits();
        return Err(NotWritable::Flags { flags }.into());
    }
    let dirty = flags.contains(VolumeFlags::DIRTY);
    if dirty && !options.force && !mending {
        return Err(NotWritable::Dirty.into());
    }
    let log = quiet(volume, options, mending)?;
    // the last one: of this there is a copy that may know better
    let (major, minor) = (version.major, version.minor);
    if !matches!((major, minor), (1, 2) | (3, 0 | 1)) {
        return Err(NotWritable::Version { major, minor }.into());
    }
    let journal = if log == LogState::Empty {
        None
    } else {
        let file = volume.file(RecordNumber::LOG_FILE)?;
        let stream = file.stream(volume, AttributeKind::DATA, &[])?;
        stream.and_then(|stream| stream.runs().cloned())
    };
    Ok((dirty, journal))
}

/// Whether a volume may be mended, as far as can be told before its boot sectors and first records are.
pub(crate) fn may_be_mended(volume: &Volume, options: &WriteOptions) -> Result<()> {
    match permitted(volume, options, true) {
        // the repair is to find out
        Err(Error::Corrupt(_) | Error::Unsupported(_)) => Ok(()),
        permitted => permitted.map(|_| ()),
    }
}

fn runs_of(volume: &Volume, record: RecordNumber, kind: AttributeKind) -> Result<Option<(RunList, u64)>> {
    let stream = volume.file(record)?.stream(volume, kind, &[])?;
    Ok(stream.and_then(|stream| Some((stream.runs()?.clone(), stream.size()))))
}

impl Writer {
    /// Opens a volume to be written. Nothing is written before the first change.
    ///
    /// # Errors
    ///
    /// [`NotWritable`] with the reason; as [`Volume::open`].
    pub fn open(device: Arc<dyn Device>, options: &WriteOptions) -> Result<Self> {
        Self::open_as(device, options, false)
    }

    /// Opens a volume to be mended: a dirty one too.
    pub(crate) fn open_to_fix(device: Arc<dyn Device>, options: &WriteOptions) -> Result<Self> {
        Self::open_as(device, options, true)
    }

    fn open_as(device: Arc<dyn Device>, options: &WriteOptions, mending: bool) -> Result<Self> {
        let volume = Volume::open(Box::new(device.clone()), &OpenOptions::default())?;
        let geometry = *volume.geometry().ok_or(NotWritable::TableOnly)?;
        let (was_dirty, journal) = permitted(&volume, options, mending)?;
        let (version, _) = volume.information()?;
        let damaged = |reason: &str| {
            Error::from(NotWritable::Damaged {
                reason: reason.to_owned(),
            })
        };
        let upcase = volume.read_upcase()?;
        let (clusters, _) = runs_of(&volume, RecordNumber::BITMAP, AttributeKind::DATA)?
            .ok_or_else(|| damaged("$Bitmap lies in its record"))?;
        let (table, _) = runs_of(&volume, RecordNumber::MFT, AttributeKind::DATA)?
            .ok_or_else(|| damaged("$MFT lies in its record"))?;
        let record_bits = runs_of(&volume, RecordNumber::MFT, AttributeKind::BITMAP)?;
        let (mirror, mirrored) = runs_of(&volume, RecordNumber::MFT_MIRROR, AttributeKind::DATA)?
            .ok_or_else(|| damaged("$MFTMirr lies in its record"))?;
        let records = volume.records();
        let mirrored = mirrored.checked_div(u64::from(geometry.record)).unwrap_or(0);
        let cluster = geometry.cluster;
        // what is there may be longer than the volume: only whole clusters can be given to files
        let mut bits = Bits::new(clusters, cluster, geometry.clusters, 0);
        // the table grows in one piece as long as there is room elsewhere
        let end = table
            .extents()
            .last()
            .and_then(|last| Some(last.lcn?.0.saturating_add(last.len)));
        bits.set_cursor(end.unwrap_or(0).saturating_add(geometry.clusters >> 3));
        let record_bits = record_bits.map(|(runs, _)| runs).unwrap_or_default();
        let record_bits = Bits::new(record_bits, cluster, records, RecordNumber::FIRST_USER.0);
        let mut cache = Cache::new(device.clone());
        cache.coalesce = options.coalesce;
        let state = State::new(
            cache,
            geometry,
            Arc::new(upcase),
            (table, records),
            (mirror, mirrored),
            (bits, record_bits),
            version.major >= 3,
        );
        Ok(Self {
            inner: Mutex::new(Inner {
                state,
                options: options.clone(),
                failed: None,
                begun: false,
                was_dirty,
                journal,
            }),
            size: device.size(),
            geometry,
        })
    }

    /// The most names that it gives a file.
    #[must_use]
    pub fn max_links(&self) -> u32 {
        self.lock().options.max_links
    }

    /// How the volume is divided.
    #[must_use]
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| {
            // an operation that did not end may be there by half: it must never reach the device
            let mut inner = poisoned.into_inner();
            inner
                .failed
                .get_or_insert_with(|| "an operation that broke off in the middle".to_owned());
            inner
        })
    }

    /// Carries an operation out, once more where what came before had to be written first.
    pub(crate) fn run<T>(&self, mut op: impl FnMut(&mut Inner) -> Result<T>) -> Result<T> {
        self.lock().run(&mut op)
    }

    /// Looks at something without changing it.
    pub(crate) fn look<T>(&self, op: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut inner = self.lock_sound()?;
        let found = op(&mut inner.state);
        let limit = inner.options.batch;
        let cache = &mut inner.state.cache;
        // whoever only looks commits nothing
        if cache.held() > limit || cache.is_clean() {
            cache.shrink(KEPT.min(limit));
        }
        found
    }

    /// The volume, where it may be used.
    pub(crate) fn lock_sound(&self) -> Result<MutexGuard<'_, Inner>> {
        let inner = self.lock();
        inner.check()?;
        Ok(inner)
    }

    /// Returns once everything done so far is safe on the device.
    ///
    /// # Errors
    ///
    /// As the device says; then the volume is not written any more.
    pub fn sync(&self) -> Result<()> {
        let mut inner = self.lock();
        inner.check()?;
        if inner.state.is_clean() {
            return Ok(());
        }
        inner.commit()
    }

    /// Brings everything to the device, and says on the volume that it is done.
    ///
    /// # Errors
    ///
    /// As [`Writer::sync`]. The volume stays marked as dirty then.
    pub fn close(&self) -> Result<()> {
        self.sync()?;
        let mut inner = self.lock();
        if inner.begun && !inner.was_dirty {
            let marked = inner.mark(false);
            inner.guard(marked)?;
            inner.begun = false;
        }
        Ok(())
    }

    /// Closes a volume that was mended; where it is `clean` now, it is no longer marked as dirty. Answers whether the
    /// mark that was there before is gone.
    ///
    /// # Errors
    ///
    /// As [`Writer::close`].
    pub(crate) fn finish_fix(&self, clean: bool) -> Result<bool> {
        let cleared = {
            let mut inner = self.lock();
            inner.check()?;
            let cleared = inner.was_dirty && clean;
            if cleared {
                inner.was_dirty = false;
                let begun = inner.begin();
                inner.guard(begun)?;
            }
            cleared
        };
        self.close()?;
        Ok(cleared)
    }

    /// Bytes that no file takes, as far as the volume knows; what waits for the next commit is not among them.
    ///
    /// # Errors
    ///
    /// As the device says.
    pub fn free_bytes(&self) -> Result<u64> {
        self.look(|state| {
            let bits = state.clusters.clone();
            let free = bits.free(&mut state.cache)?;
            Ok(free.saturating_mul(u64::from(state.geometry.cluster)))
        })
    }

    /// How often the Master File Table grew since the volume was opened.
    pub(crate) fn generation(&self) -> u64 {
        self.lock().state.generation
    }
}

/// What everybody who reads through it sees: the device with the changes that are not there yet.
impl Device for Writer {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.lock().state.cache.read_through(offset, buffer)
    }

    fn write_at(&self, _offset: u64, _data: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::device::MemDevice;
    use crate::format::{FormatOptions, format};

    #[test]
    fn an_operation_that_breaks_off_ends_all_writing() {
        let device = Arc::new(MemDevice::new(vec![0; 8 << 20]));
        format(&*device, &FormatOptions::default()).unwrap();
        let writer = Writer::open(device.clone(), &WriteOptions::default()).unwrap();
        let root = writer.root().unwrap();
        writer.create_file(root, &[u16::from(b'a')]).unwrap();
        writer.sync().unwrap();
        let before = device.bytes();
        let broken = catch_unwind(AssertUnwindSafe(|| {
            writer.run(|inner| -> Result<()> {
                let class = inner.state.base_class;
                inner.state.record_mut(root.record(), class)?.fill(0xEE);
                panic!("in the middle");
            })
        }));
        assert!(broken.is_err());
        let refused = [
            writer.create_file(root, &[u16::from(b'b')]).map(|_| ()),
            writer.sync(),
            writer.close(),
        ];
        for outcome in refused {
            let Err(Error::Failed { reason }) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(reason, "an operation that broke off in the middle");
        }
        drop(writer);
        assert_eq!(device.bytes(), before);
    }
}
