//! Every operation of images against vectors of another program, in f32 and f64, with any number of threads.

use serde_json::Value;
use surprisal_loss::vectors::{F32, F64, cases, to_json};
use surprisal_replay::{find_operation, operations};
use surprisal_tensor::threads;

fn documents() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/operations");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let read = |path: std::path::PathBuf| {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (document["op"].as_str().unwrap().to_owned(), document)
    };
    json.map(read).collect()
}

#[test]
fn every_case_holds() {
    let mut held = 0;
    for (name, document) in documents() {
        let operation = find_operation(&name).unwrap();
        for precision in [F64, F32] {
            let report = operation.check_document(&document, precision).unwrap();
            let name = format!("{name}, {}", precision.name);
            if let Some((case, error)) = report.failed.first() {
                panic!("{name}, {case}: {error}");
            }
            let first = report.faults.first().map(|fault| (&fault.case, &fault.number, fault.share));
            assert!(report.holds(), "{name}: {} numbers are wrong, at worst {first:?}", report.faults.len());
            println!("{name}: at worst {:.2e} of the tolerance", report.worst_share);
            held += report.cases;
        }
    }
    assert_eq!(held, 2 * 84);
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    for (name, document) in documents() {
        let operation = find_operation(&name).unwrap();
        for (case, read) in cases(&document).unwrap() {
            let read = read.unwrap();
            let [one, three] = [1, 3].map(|count| {
                threads::with(count, || {
                    let (f32, f64) = (operation.evaluate::<f32>(&read), operation.evaluate::<f64>(&read));
                    [to_json(&case, &f32.unwrap()), to_json(&case, &f64.unwrap())]
                })
            });
            assert_eq!(one, three, "{name}, {case}");
        }
    }
}

/// Any number that is another than expected, in its value or gradients, is found.
#[test]
fn a_wrong_number_is_found() {
    for (name, mut document) in documents() {
        let operation = find_operation(&name).unwrap();
        let cases = document["cases"].as_array_mut().unwrap();
        cases.truncate(1);
        let scale = cases[0]["size"]["value"]["scale"].as_f64().unwrap();
        let mut number = &mut cases[0]["expected"]["value"];
        while number.is_array() {
            number = &mut number[0];
        }
        *number = (number.as_f64().unwrap() + 1.1e-11 * scale).into();
        let report = operation.check_document(&document, F64).unwrap();
        assert_eq!((report.faults.len(), report.failed.len()), (1, 0), "{name}");
        let (what, share) = (&report.faults[0].number.what, report.faults[0].share);
        assert!(what.starts_with("value") && share > 1.0 && share < 1.3, "{name}: {what} {share}");
    }
}

/// Names are those of one operation, defaults are of their kind, and optional inputs come last.
#[test]
fn every_operation_can_be_called_by_its_name() {
    let all = Vec::from_iter(operations());
    for operation in &all {
        let name = operation.name;
        assert_eq!(all.iter().filter(|other| other.name == name).count(), 1, "{name}");
        assert_eq!(find_operation(name).unwrap().name, name);
        for option in operation.options {
            let default = option.kind.parse(option.default).is_some();
            assert!(default || option.default.is_empty(), "{name}: {} = {}", option.name, option.default);
            assert!(!option.help.is_empty(), "{name}: {}", option.name);
        }
        assert!(operation.inputs.is_sorted_by_key(|input| input.optional), "{name}");
    }
    assert!(all.len() > 50);
}
