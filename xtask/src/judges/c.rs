//! C programs: the header, the shared library and the static one, as a C compiler and a linker take them.
//!
//! `crates/polylink-capi/tests/c/test.c` is the judge; it knows nothing but `include/polylink.h`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lab::{Lab, ensure, needs};
use super::{Stop, Verdict};
use crate::judges::order::say;
use crate::shell;
use crate::windows::{self, Target, Toolchain, Wine};

/// What a program needs besides the static library, as `rustc --print native-static-libs` tells it.
const LINUX_LIBRARIES: [&str; 7] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];
const WINDOWS_LIBRARIES: [&str; 4] = ["-lws2_32", "-luserenv", "-lntdll", "-lbcrypt"];

/// No warning in what includes the header.
const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"];

fn include() -> PathBuf {
    shell::root().join("include")
}

fn program() -> PathBuf {
    shell::root().join("crates/polylink-capi/tests/c/test.c")
}

/// A compiler's run that takes the header and warns of nothing.
fn strict(compiler: &Path, language: &str, standard: &str) -> Command {
    let mut command = Command::new(compiler);
    command
        .args(["-x", language, standard])
        .args(STRICT)
        .arg("-I")
        .arg(include());
    command
}

/// The test program, compiled and linked with `libraries`.
fn compile<S: AsRef<OsStr>>(compiler: &Path, to: &Path, libraries: impl IntoIterator<Item = S>) -> Verdict {
    let mut command = strict(compiler, "c", "-std=c99");
    command.arg(program()).args(["-x", "none", "-o"]).arg(to);
    shell::output(command.args(libraries))?;
    Ok(())
}

/// The header is C99 and C++ of its own, with nothing included before it.
fn header(lab: &Lab, c: &Path, cpp: Option<&Path>) -> Verdict {
    let alone = lab.path("alone.c");
    fs::write(&alone, "#include \"polylink.h\"\n#include \"polylink.h\"\n")?;
    let c_standards = ["-std=c99", "-std=c11", "-std=gnu17"].map(|standard| (c, "c", standard));
    let cpp_standards = ["-std=c++11", "-std=c++20"]
        .iter()
        .filter_map(|&standard| cpp.map(|compiler| (compiler, "c++", standard)));
    for (compiler, language, standard) in c_standards.into_iter().chain(cpp_standards) {
        let mut command = strict(compiler, language, standard);
        shell::output(command.arg("-fsyntax-only").arg(&alone))?;
    }
    Ok(())
}

/// Fails unless the test program checked something and found all of it true.
fn content(command: &mut Command, what: &str) -> Verdict<String> {
    let line = shell::shown(command);
    let output = command.output().map_err(|error| format!("  {line}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let good = output.status.success() && last.ends_with(" checks, 0 failures") && !last.starts_with("0 ");
    ensure(good, || {
        format!(
            "{what}: {line}: {}\n{text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    Ok(last.to_owned())
}

/// An empty folder for a run of the test program.
fn work_folder(lab: &Lab, program: &Path) -> Verdict<PathBuf> {
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    lab.folder(&format!("work {stem}"))
}

/// Another file system than that of the work folders, for links that cannot be.
fn other_file_system(lab: &Lab) -> Verdict<PathBuf> {
    let other = lab.path("other");
    lab.mount(&["-t".as_ref(), "tmpfs".as_ref(), "tmpfs".as_ref()], &other)?;
    Ok(other)
}

/// The program that the guide shows compiles, and does what the guide says.
fn example(lab: &Lab, compiler: &Path, bin: &Path) -> Verdict {
    let page = fs::read_to_string(shell::root().join("docs/guide/c.md"))?;
    let source = lab.path("names.c");
    fs::write(&source, first_block(&page, "c"))?;
    let program = bin.join("names");
    let folder = bin.to_string_lossy();
    let mut command = strict(compiler, "c", "-std=c99");
    command
        .arg(&source)
        .args(["-x", "none", "-lpolylink"])
        .args([format!("-L{folder}"), format!("-Wl,-rpath,{folder}")])
        .arg("-o")
        .arg(&program);
    shell::output(&mut command)?;
    let work = lab.folder("example")?;
    fs::write(work.join("a"), "data")?;
    let mut run = Command::new(&program);
    run.args(["a", "b", "."]).current_dir(&work);
    let printed = shell::output(&mut run)?;
    ensure(printed == b"./a\n./b\n", || {
        format!(
            "the guide's program printed {:?}",
            String::from_utf8_lossy(&printed)
        )
    })?;
    let again = run.output()?;
    let (said, wanted) = (again.stderr, first_block(&page, "text"));
    ensure(
        again.status.code() == Some(1) && said == wanted.as_bytes(),
        || format!("the guide's program said {:?}", String::from_utf8_lossy(&said)),
    )
}

/// The first block of a page that is marked as being in this language.
fn first_block<'a>(page: &'a str, language: &str) -> &'a str {
    page.split_once(&format!("\n```{language}\n"))
        .and_then(|(_, rest)| rest.split_once("```"))
        .map_or("", |(block, _)| block)
}

/// A path as Wine's Windows has it.
fn on_z(path: &Path) -> String {
    format!("Z:{}", path.display().to_string().replace('/', "\\"))
}

/// The functions that the header declares.
fn declared() -> Verdict<BTreeSet<String>> {
    let header = fs::read_to_string(include().join("polylink.h"))?;
    let names = functions(&header);
    ensure(names.len() >= 20, || {
        format!("only {} functions in the header", names.len())
    })?;
    Ok(names)
}

fn functions(header: &str) -> BTreeSet<String> {
    let declarations = header
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()) && !line.starts_with("typedef"));
    declarations
        .filter_map(|line| line.split_once('('))
        .filter_map(|(before, _)| before.rsplit([' ', '*']).next())
        .map(str::to_owned)
        .collect()
}

/// Fails unless a library exports what the header declares, and nothing else.
fn exports(found: &BTreeSet<String>) -> Verdict {
    let declared = declared()?;
    let missing: Vec<_> = declared.difference(found).collect();
    let further: Vec<_> = found.difference(&declared).collect();
    ensure(missing.is_empty() && further.is_empty(), || {
        format!("declared and not exported: {missing:?}; exported and not declared: {further:?}")
    })
}

/// With gcc on Linux.
pub(crate) fn linux(lab: &Lab) -> Verdict {
    let (c, cpp) = (needs("cc", "gcc")?, needs("c++", "g++")?);
    let nm = needs("nm", "binutils")?;
    header(lab, &c, Some(&cpp))?;
    shell::run(shell::cargo().args(["build", "--quiet", "--release", "--package", "polylink-capi"]))?;
    let built = shell::target_dir().join("release");
    let shared = built.join("libpolylink.so");
    let symbols = shell::output(Command::new(nm).args(["-D", "--defined-only"]).arg(&shared))?;
    let symbols = String::from_utf8_lossy(&symbols);
    exports(
        &symbols
            .lines()
            .filter_map(|line| line.rsplit(' ').next())
            .map(str::to_owned)
            .collect(),
    )?;

    let bin = lab.folder("bin")?;
    fs::copy(&shared, bin.join("libpolylink.so"))?;
    let dynamic = bin.join("dynamic");
    let folder = bin.to_string_lossy();
    compile(
        &c,
        &dynamic,
        [
            format!("-L{folder}"),
            "-lpolylink".to_owned(),
            format!("-Wl,-rpath,{folder}"),
        ],
    )?;
    let fixed = bin.join("static");
    let archive = built.join("libpolylink.a").into_os_string();
    compile(
        &c,
        &fixed,
        std::iter::once(archive).chain(LINUX_LIBRARIES.map(Into::into)),
    )?;

    let other = other_file_system(lab)?;
    for (program, name) in [
        (&dynamic, "against the shared library"),
        (&fixed, "against the static library"),
    ] {
        let folder = work_folder(lab, program)?;
        let said = content(Command::new(program).arg(folder).arg(&other), name)?;
        say!("    {name}: {said}");
    }
    example(lab, &c, &bin)?;
    say!(
        "    libpolylink.so: {} bytes, libpolylink.a: {} bytes",
        fs::metadata(shared)?.len(),
        fs::metadata(built.join("libpolylink.a"))?.len()
    );
    Ok(())
}

/// With mingw's gcc for Windows, under Wine.
pub(crate) fn wine(lab: &Lab) -> Verdict {
    let toolchain = Toolchain::find().map_err(Stop::Skipped)?;
    let wine = Wine::find().map_err(Stop::Skipped)?;
    let objdump = needs("x86_64-w64-mingw32-objdump", "binutils-mingw-w64-x86-64")?;
    header(lab, &toolchain.cc, None)?;
    shell::run(
        toolchain
            .cargo("build", Target::Win7)
            .args(["--package", "polylink-capi"]),
    )?;
    let built = windows::target_dir().join(Target::Win7.triple()).join("debug");
    let shared = built.join("polylink.dll");
    let table = shell::output(Command::new(objdump).arg("-p").arg(&shared))?;
    exports(&exported_by_dll(&String::from_utf8_lossy(&table)))?;

    let bin = lab.folder("bin")?;
    fs::copy(&shared, bin.join("polylink.dll"))?;
    let dynamic = bin.join("dynamic.exe");
    compile(&toolchain.cc, &dynamic, [built.join("libpolylink.dll.a")])?;
    let fixed = bin.join("static.exe");
    let archive = built.join("libpolylink.a").into_os_string();
    compile(
        &toolchain.cc,
        &fixed,
        std::iter::once(archive).chain(WINDOWS_LIBRARIES.map(Into::into)),
    )?;
    wine.start()?;
    let other = other_file_system(lab)?;
    for (program, name) in [
        (&dynamic, "against the DLL"),
        (&fixed, "against the static library"),
    ] {
        let folder = work_folder(lab, program)?;
        let said = content(
            &mut wine.command(program, [&folder, &other].map(|path| on_z(path))),
            name,
        )?;
        say!("    {name}: {said}");
    }
    unit_tests(&toolchain, &wine)
}

/// The library's own tests pass under Wine.
fn unit_tests(toolchain: &Toolchain, wine: &Wine) -> Verdict {
    let mut command = toolchain.cargo("test", Target::Win7);
    command.args(["--no-run", "--lib", "--package", "polylink-capi"]);
    let programs = toolchain.build(&mut command)?;
    ensure(!programs.is_empty(), || "no tests were built".to_owned())?;
    for program in programs {
        let mut run = wine.command(&program.path, [""; 0]);
        run.current_dir(&program.package);
        let output = shell::output(&mut run)?;
        let text = String::from_utf8_lossy(&output);
        let result = text.lines().find(|line| line.starts_with("test result: ok. "));
        ensure(result.is_some_and(|line| !line.contains(" 0 passed")), || {
            text.clone().into_owned()
        })?;
        say!("    unit tests: {}", result.unwrap_or_default());
    }
    Ok(())
}

/// The names in the table that `objdump -p` prints of a DLL.
fn exported_by_dll(text: &str) -> BTreeSet<String> {
    text.lines()
        .skip_while(|line| !line.starts_with("[Ordinal/Name Pointer] Table"))
        .skip(1)
        .take_while(|line| line.trim_start().starts_with('['))
        .filter_map(|line| line.split_whitespace().next_back())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_first_block_of_a_language_is_found() {
        let page = "a\n\n```sh\nx\n```\n\n```c\nint a;\n```\n\n```c\nint b;\n```\n";
        assert_eq!(first_block(page, "c"), "int a;\n");
        assert_eq!(first_block(page, "text"), "");
    }

    #[test]
    fn functions_are_read_from_declarations_alone() {
        let header = "/**\n * polylink_comment(no)\n */\nint32_t POLYLINK_CALL PolylinkA(void *a,\n                b(c));\n\
                      const char *polylink_b(int32_t status);\ntypedef struct x (x);\n#define POLYLINK_C(x)\n";
        assert_eq!(functions(header), set(&["PolylinkA", "polylink_b"]));
    }

    #[test]
    fn exports_of_a_dll_are_read_from_its_table() {
        let text = "Export Address Table -- Ordinal Base 1\n\t[   0] +base[   1] 17a0 Export RVA\n\n\
                    [Ordinal/Name Pointer] Table\n\t[   0] PolylinkA\n\t[   1] polylink_b\n\nThe Function Table\n\t[0] x\n";
        assert_eq!(exported_by_dll(text), set(&["PolylinkA", "polylink_b"]));
        let newer = "[Ordinal/Name Pointer] Table -- Ordinal Base 1\n\t[   0] +base[   1]  0000 PolylinkA\n";
        assert_eq!(exported_by_dll(newer), set(&["PolylinkA"]));
    }
}
