//! Comparing names as NTFS does: unit by unit, through a table of upper cases.
