//! Cross-validation on one core and on two.

use surprisal_run::{Settings, cross_validate};
use surprisal_tensor::threads;

#[test]
fn the_number_of_cores_changes_no_bit() {
    let settings =
        Settings::from_toml("data = \"breast_cancer\"\nepochs = 3\npatience = 2\n", "test.toml".as_ref())
            .unwrap();
    let with = |cores: usize| threads::with(cores, || cross_validate(&settings, 3, &()).unwrap());
    let (one, two) = (with(1), with(2));
    assert_eq!(one, two);
    assert_eq!((one.to_text(), one.to_csv(), one.to_json()), (two.to_text(), two.to_csv(), two.to_json()));
}
