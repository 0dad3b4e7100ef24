//! The data directory, and files in it that nobody else may read.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes the data directory where there is none, and checks that it is ours.
pub fn prepare_directory(path: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    match path.metadata() {
        Ok(metadata) if !metadata.is_dir() => Err(format!("{}: this is not a directory", path.display())),
        Ok(metadata) => {
            let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
            if owner == us {
                return Ok(());
            }
            Err(format!(
                "{}: the directory belongs to user {owner}, but stube runs as user {us}",
                path.display()
            ))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes a file that only we can read. It is there completely or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    // The mode above is for a file that was not there.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
