//! `include/polylink.h` is what the functions of the library say now.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Braces, Builder, Config, DocumentationStyle, ItemType, Language, Style};
use polylink_nt::NtStatus;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

const INTRODUCTION: &str = "\
/*
 * polylink: one file, many names.
 *
 * Made by `POLYLINK_BLESS=1 cargo test -p polylink-capi` from crates/polylink-capi/src/ffi: change that instead.
 *
 * Three kinds of functions:
 *
 *   PolylinkCreateHardLinkW/A   as Win32 has it: nonzero if done, 0 if not. New name first.
 *   PolylinkNt...               as NT has it: an NTSTATUS.
 *   polylink_...                as Unix has it: 0 if done, -1 if not. Existing name first.
 *
 * Each that fails sets the thread's last error: polylink_last_error() and its sisters. None unwinds into its caller:
 * a fault in polylink itself is STATUS_UNSUCCESSFUL, ERROR_GEN_FAILURE (31); a library that was built with
 * panic=abort ends the process instead. NULL where something is needed is ERROR_INVALID_PARAMETER (87).
 *
 * All functions may be called from any thread. UTF-16 is in the byte order of the machine, which is little-endian.
 */";

/// The version of the header and the statuses, which no function mentions.
fn constants() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        "\n/* The version of this header; polylink_version() is that of the library. */\n#define POLYLINK_VERSION \"{version}\"\n"
    );
    for (part, number) in ["MAJOR", "MINOR", "PATCH"].iter().zip(version.split('.')) {
        // OK to unwrap: writing to a string cannot fail
        writeln!(text, "#define POLYLINK_VERSION_{part} {number}").unwrap();
    }
    text.push_str(
        "\n/* stdcall, as CreateHardLink has it; on 64-bit systems it is the convention of C. */\n\
         #if defined(_WIN32) && !defined(_WIN64)\n#define POLYLINK_CALL __stdcall\n#else\n#define POLYLINK_CALL\n#endif\n",
    );
    text.push_str(
        "\n/* What the native functions return, and polylink_last_error_status() ([MS-ERREF] 2.3). */\n",
    );
    for status in polylink::statuses() {
        // OK to unwrap: these all have names
        let name = polylink::status_name(status).unwrap();
        let code = status.code();
        writeln!(text, "#define POLYLINK_{name} ((int32_t)0x{code:08X})").unwrap();
    }
    text
}

fn config() -> Config {
    let mut config = Config {
        language: Language::C,
        style: Style::Both,
        cpp_compat: true,
        braces: Braces::SameLine,
        include_guard: Some("POLYLINK_H".to_owned()),
        no_includes: true,
        sys_includes: ["stddef.h", "stdint.h"].map(str::to_owned).to_vec(),
        header: Some(INTRODUCTION.to_owned()),
        after_includes: Some(constants()),
        documentation_style: DocumentationStyle::Doxy,
        line_length: 110,
        tab_width: 4,
        usize_is_size_t: true,
        ..Config::default()
    };
    config.export.item_types = [
        ItemType::Constants,
        ItemType::OpaqueItems,
        ItemType::Structs,
        ItemType::Typedefs,
        ItemType::Functions,
    ]
    .to_vec();
    // no function mentions them: they are what lies behind a `const void *`
    config.export.include = ["PolylinkFileLinkInformation", "PolylinkFileLinkInformationEx"]
        .map(str::to_owned)
        .to_vec();
    config
}

fn header() -> String {
    let mut builder = Builder::new().with_config(config());
    let folder = tempfile::tempdir().unwrap();
    for file in ["error", "link", "native", "names"].map(|name| format!("{name}.rs")) {
        // cbindgen leaves out functions of other conventions than C's, and knows nothing of rustdoc's headings
        let source = fs::read_to_string(root().join("src/ffi").join(&file))
            .unwrap()
            .replace("extern \"system\" fn", "extern \"C\" fn")
            .replace("/// # Safety\n///\n", "");
        let copy = folder.path().join(file);
        fs::write(&copy, source).unwrap();
        builder = builder.with_src(copy);
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    with_conventions(&String::from_utf8(text).unwrap())
}

/// Puts in the calling convention, for which cbindgen has no word.
fn with_conventions(header: &str) -> String {
    const CALL: &str = "POLYLINK_CALL ";
    let mut text = String::new();
    let mut inside = false;
    for line in header.lines() {
        if let Some(declaration) = line.strip_prefix("int32_t Polylink") {
            inside = true;
            text.push_str("int32_t ");
            text.push_str(CALL);
            text.push_str("Polylink");
            text.push_str(declaration);
        } else {
            if inside {
                text.extend(CALL.chars().map(|_| ' '));
            }
            text.push_str(line);
        }
        inside &= !line.ends_with(';');
        text.push('\n');
    }
    text
}

#[test]
fn the_header_is_current() {
    let path = root().join("../../include/polylink.h");
    let wanted = header();
    let there = fs::read_to_string(&path).unwrap_or_default();
    if there == wanted {
        return;
    }
    let bless = std::env::var_os("POLYLINK_BLESS").is_some_and(|value| value == "1");
    assert!(
        bless,
        "include/polylink.h is stale: run `POLYLINK_BLESS=1 cargo test -p polylink-capi` and commit what it writes"
    );
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, wanted).unwrap();
}

#[test]
fn the_header_has_every_exported_function_and_every_status() {
    let header = header();
    let mut functions = 0;
    for entry in fs::read_dir(root().join("src/ffi")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(source) = fs::read_to_string(&path) else {
            continue; // the folder of the tests
        };
        for exported in source.split("#[unsafe(no_mangle)]").skip(1) {
            let name = exported.split_once("fn ").unwrap().1.split_once('(').unwrap().0;
            let declared = [" ", "*"].map(|before| format!("{before}{name}("));
            assert!(
                declared.iter().any(|start| header.contains(start)),
                "{name} is not in the header"
            );
            functions += 1;
        }
    }
    assert!(functions >= 20, "{functions}");
    for status in NtStatus::ALL {
        let name = status.name().unwrap();
        assert!(header.contains(&format!("#define POLYLINK_{name} ")), "{name}");
    }
}

#[test]
fn every_function_of_the_windows_kind_has_its_calling_convention() {
    let header = header();
    assert!(!header.contains("\nint32_t Polylink"));
    for function in [
        "PolylinkCreateHardLinkW",
        "PolylinkCreateHardLinkA",
        "PolylinkNtOpenFile",
        "PolylinkNtSetInformationFile",
    ] {
        assert!(
            header.contains(&format!("\nint32_t POLYLINK_CALL {function}(")),
            "{function}"
        );
    }
}
