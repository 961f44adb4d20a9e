//! Addresses: what is written is read again; whatever else is there is refused.

use surprisal_playground::calls::Playground;
use surprisal_playground::race::Race;
use surprisal_playground::state::{SETTINGS, State};

#[test]
fn every_default_is_a_value_and_is_left_out() {
    for setting in SETTINGS {
        let text = format!("{}={}", setting.key, setting.default);
        assert_eq!(State::read(&text).unwrap(), State::default(), "{text}");
        assert_eq!(State::read(&text).unwrap().to_string(), "", "{text}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    for text in [
        "view=tape&lang=zh&theme=dark&large=1",
        "data=spirals&n=1000&noise=2&keep=0.02&flip=0.5",
        "data=own&points=0,1.5,0;-100,1e-3,2",
        "hidden=16-16-16&activation=gelu_tanh&init=normal:1&batch=0&l2=1&seed=9007199254740992",
        "loss=focal,hinge&opt=lion,momentum&lr=0.000001,100&start=random,wrong&sure=0",
        "steps=20000&side=right&row=999&w=-10,10&b=0.5&x=-5&y=0.25&rate=100",
    ] {
        let state = State::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let written = state.to_string();
        assert_eq!(State::read(&written).unwrap(), state, "{text} became {written}");
    }
    assert_eq!(State::read("loss=ce,ce&lr=0.5").unwrap().to_string(), "loss=ce");
    assert_eq!(State::read("%6Cr=1%2C2&").unwrap().to_string(), "lr=1,2");
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    let mut playground = Playground::default();
    let mut open = |state: &str| {
        let encoded: String = state.bytes().map(|byte| format!("%{byte:02X}")).collect();
        playground.answer(format!("call=open&state={encoded}").as_bytes())
    };
    let before = open("n=50");
    let long = format!("points={}", "0,0,0;".repeat(10_000));
    for (state, code) in [
        ("n=1000000", "whole"),
        ("n=200.5", "whole"),
        ("n=-1", "whole"),
        ("seed=9007199254740994", "whole"),
        ("hidden=1000000", "sizes"),
        ("hidden=8-8-8-8", "sizes"),
        ("hidden=0", "sizes"),
        ("hidden=", "sizes"),
        ("lr=NaN", "number"),
        ("lr=inf", "number"),
        ("lr=0", "number"),
        ("lr=1,2,3", "side"),
        ("lr=1,", "number"),
        ("noise=1e999", "number"),
        ("loss=<script>alert(1)</script>", "word"),
        ("data=own", "rows"),
        ("data=own&points=0,0,0", "rows"),
        ("data=own&points=0,0,1;1,1,1", "rows"),
        ("points=0,0,3", "points"),
        ("points=0,0", "points"),
        ("points=1e3,0,0", "points"),
        ("points=nan,0,0", "points"),
        (&long, "too_long"),
        ("__proto__=1", "unknown_key"),
        ("n=50&n=50", "twice"),
        ("n", "no_value"),
        ("n=%zz", "no_value"),
        ("n=%ff", "no_value"),
        ("%", "no_value"),
        ("n=١٠٠", "whole"),
    ] {
        let reply = open(state);
        assert!(reply.starts_with(&format!(r#"{{"error":{{"code":"{code}""#)), "{state:.60}: {reply}");
        assert!(reply.len() < 700, "{state:.60}: {} bytes", reply.len());
    }
    assert_eq!(open("n=50"), before);
}

/// Requests that the page never makes.
#[test]
fn a_request_without_sense_is_an_error() {
    let mut playground = Playground::default();
    for request in
        ["", "call", "call=", "call=steps&n=1", "call=%", "\u{0}", "call=neuron&w=1&b=1,1&x=0&y=0&rate=1"]
    {
        assert!(playground.answer(request.as_bytes()).starts_with(r#"{"error""#), "{request:?}");
    }
    assert!(playground.answer(b"\xff").starts_with(r#"{"error""#));
    playground.answer(b"call=open&state=n%3D20");
    for request in [
        "call=steps&n=2001",
        "call=steps&n=-1",
        "call=steps",
        "call=picture&side=2&size=8",
        "call=picture&side=0&size=100000",
        "call=tape&side=0&row=20",
        "call=nothing&side=0",
        "call=neuron&w=1,nan&b=1,1&x=0&y=0&rate=1",
        "call=neuron&w=1,1&b=1,1&x=0&y=2&rate=1",
    ] {
        assert!(
            playground.answer(request.as_bytes()).starts_with(r#"{"error":{"code":"request""#),
            "{request}"
        );
    }
}

#[test]
fn tables_are_read_with_any_delimiter_and_errors_have_their_line() {
    let mut playground = Playground::default();
    let mut read = |text: &str| {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        playground.answer(format!("call=csv&text={encoded}").as_bytes())
    };
    let expected = r#"{"ok":{"points":"-1,-1,0;1,1,1","classes":["a","b"],"rows":2}}"#;
    for text in ["x,y,c\n1,2,a\n3,4,b\n", "1;2;a\r\n\r\n3;4;b", "\u{feff}x\ty\tc\n1\t2\t\"a\"\n3\t4\tb"] {
        assert_eq!(read(text), expected, "{text:?}");
    }
    for (text, error) in [
        ("", r#"{"code":"csv_classes","found":0}"#),
        ("1,2,a", r#"{"code":"csv_classes","found":1}"#),
        ("1,2,a\n1,2,b\n1,2,c\n1,2,d", r#"{"code":"csv_classes","found":4}"#),
        ("x,y,c\n1,2,a\n3,four,b", r#"{"code":"csv_line","line":3,"found":"3,four,b"}"#),
        ("x,y,c\nx,y,c\n", r#"{"code":"csv_line","line":2,"found":"x,y,c"}"#),
        ("1,2\n", r#"{"code":"csv_line","line":1,"found":"1,2"}"#),
        ("1,nan,a\n", r#"{"code":"csv_line","line":1,"found":"1,nan,a"}"#),
    ] {
        assert_eq!(read(text), format!(r#"{{"error":{error}}}"#), "{text:?}");
    }
    let many: String = (0..501).map(|row| format!("{row},1,{}\n", row % 2)).collect();
    assert!(read(&many).contains("csv_rows"));
}

/// The book and the experiments open races that there are.
#[test]
fn states_of_the_book_and_of_experiments_are_read() {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let (mut links, mut sections) = (0, 0);
    for (folder, begin) in [
        ("docs/lessons", "](../playground/index.html#"),
        ("crates/lab/src/experiments", "\n## Playground\n\n"),
    ] {
        for entry in std::fs::read_dir(format!("{repository}/{folder}")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "md") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split(begin).skip(1) {
                let state = rest.split([')', ' ']).next().unwrap();
                let state_read =
                    State::read(state).unwrap_or_else(|error| panic!("{}: {state}: {error}", path.display()));
                Race::new(state_read).unwrap_or_else(|error| panic!("{}: {state}: {error}", path.display()));
                if folder == "docs/lessons" {
                    let command = format!("`surprisal play \"{state}\"`");
                    assert!(text.contains(&command), "{}: {command} is missing", path.display());
                    links += 1;
                } else {
                    sections += 1;
                }
            }
        }
    }
    assert_eq!((links, sections), (4, 3));
}
