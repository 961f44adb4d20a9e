//! How a loss is defined: [`loss!`] makes the function, the struct of its options and its entry in the list from one place.

use crate::by_name::{Kind, Options, Range, Setting};
use crate::{Base, Reduction};

/// A type that an option of a loss may have.
pub(crate) trait OptionType: Sized {
    const FORM: Form;
    /// The help of the option if the loss has none of its own.
    const ABOUT: &'static str = "";
    fn read(options: &Options, name: &str) -> Self;
}

/// How values of such a type are written.
pub(crate) enum Form {
    Number,
    Whole,
    Numbers,
    Flag,
    /// One of these; the first is the default.
    Word(&'static [&'static str]),
}

/// The card of an option of type T. `words`, `default` and `about` are those of the type where they are empty.
pub(crate) const fn card<T: OptionType>(
    name: &'static str,
    words: &'static [&'static str],
    range: Range,
    default: &'static str,
    about: &'static str,
) -> Setting {
    let about = if about.is_empty() { T::ABOUT } else { about };
    let (kind, default) = match T::FORM {
        Form::Number => (Kind::Number(range), default),
        Form::Whole => (Kind::Whole(range), default),
        Form::Numbers => (Kind::Numbers(range), default),
        Form::Flag => (Kind::Flag, default),
        Form::Word(own) => (Kind::Word(if words.is_empty() { own } else { words }), own[0]),
    };
    Setting { name, kind, default, help: about }
}

macro_rules! option_types {
    ($($Type:ty: $form:ident, $options:ident, $name:ident => $read:expr;)+) => { $(
        impl OptionType for $Type {
            const FORM: Form = Form::$form;
            fn read($options: &Options, $name: &str) -> Self {
                $read
            }
        }
    )+ };
}
option_types! {
    f64: Number, options, name => options.number(name);
    usize: Whole, options, name => options.number(name) as usize; // a whole number that is not negative
    i64: Whole, options, name => options.number(name) as i64;
    Vec<f64>: Numbers, options, name => options.numbers(name);
    bool: Flag, options, name => options.flag(name);
}

/// The words for the values of an option; the first is its default.
macro_rules! words {
    ($Type:ident $(($about:literal))?: $($word:literal => $Value:ident),+) => {
        impl crate::define::OptionType for $Type {
            const FORM: crate::define::Form = crate::define::Form::Word(&[$($word),+]);
            $(const ABOUT: &'static str = $about;)?
            fn read(options: &crate::by_name::Options, name: &str) -> Self {
                match options.word(name) {
                    $($word => $Type::$Value,)+
                    _ => $Type::default(),
                }
            }
        }
    };
}
words! { Reduction("mean, sum, or none"): "mean" => Mean, "sum" => Sum, "none" => None }
words! { Base("e for nats, 2 for bits"): "e" => E, "2" => Two }

/// Defines a struct of options: `name: type = default in range, help;`, or `name: type;` for one of some words. It makes the struct, its
/// `Default`, `OPTIONS` for the list, and `read`, which takes the options by name. Weights are fields too, `None` by default.
macro_rules! options {
    (
        $(weights { $($(#[$weight_meta:meta])* $weight:ident: $weight_about:literal;)+ })?
        $(#[$meta:meta])*
        pub struct $Type:ident {$(
            $(#[$field_meta:meta])*
            $field:ident: $Field:ident $(<$Inner:ident>)? $(among $words:tt)? $(= $default:literal)? $(in $range:ident)? $(, $about:literal)?;
        )*}
    ) => {
        $(#[$meta])*
        pub struct $Type {
            $($(#[$field_meta])* pub $field: $Field $(<$Inner>)?,)*
            $($($(#[$weight_meta])* pub $weight: Option<Vec<f64>>,)+)?
        }

        #[allow(clippy::derivable_impls, clippy::unnecessary_cast)] // of all of them, some could be derived
        impl Default for $Type {
            fn default() -> Self {
                $Type {
                    $($field: options!(@default $Field $($default)?),)*
                    $($($weight: None,)+)?
                }
            }
        }

        impl $Type {
            const OPTIONS: &'static [crate::by_name::Setting] = &[$(
                crate::define::card::<$Field $(<$Inner>)?>(
                    stringify!($field),
                    options!(@words $($words)?),
                    options!(@range $($range)?),
                    concat!("" $(, stringify!($default))?),
                    concat!("" $(, $about)?),
                ),
            )*];

            fn read(options: &crate::by_name::Options) -> Self {
                $Type {
                    $($field: crate::define::OptionType::read(options, stringify!($field)),)*
                    $($($weight: options.weights(stringify!($weight)),)+)?
                }
            }
        }
    };
    (@default Vec $default:literal) => { vec![$default as f64] };
    (@default $Field:ident $default:literal) => { $default as $Field };
    (@default $Field:ident) => { $Field::default() };
    (@words) => { &[] };
    (@words $words:tt) => { &$words };
    (@range) => { crate::by_name::Range::ANY };
    (@range $range:ident) => { crate::by_name::Range::$range };
}

/// Defines a loss: its function with the default options, the struct of its options with the method `loss`, and `ENTRY` for the list. The
/// struct's `try_loss`, which stands beside it, takes the inputs: arrays, and behind a semicolon class indices.
///
/// `train` has its short name, its title, what it is trained on and the options that can be set then; or why it is not trained with by
/// name. With `of` instead of `fn`, the function is written by hand.
macro_rules! loss {
    (
        $(#[$doc:meta])*
        fn $loss:ident($($input:ident: $kind:ident($values:ident, $about:literal)),+ $(; $labels:ident: $label_kind:ident($label_values:ident, $label_about:literal))?);
        card { $($card:tt)* }
        train { $($train:tt)* }
        $(curve $curve:expr;)?
        $(weights { $($weights:tt)* })?
        $(#[$meta:meta])*
        pub struct $Type:ident { $($fields:tt)* }
    ) => {
        $(#[$doc])*
        #[track_caller]
        pub fn $loss<'t>($($input: Var<'t>),+ $(, $labels: &[impl crate::Label])?) -> Var<'t> {
            $Type::default().loss($($input),+ $(, $labels)?)
        }

        loss! {
            of $loss($($input: $kind($values, $about)),+ $(; $labels: $label_kind($label_values, $label_about))?);
            card { $($card)* }
            train { $($train)* }
            $(curve $curve;)?
            $(weights { $($weights)* })?
            $(#[$meta])*
            pub struct $Type { $($fields)* }
        }
    };
    (
        of $loss:ident($($input:ident: $kind:ident($values:ident, $about:literal)),+ $(; $labels:ident: $label_kind:ident($label_values:ident, $label_about:literal))?);
        card { $($card:tt)* }
        train { $($train:tt)* }
        $(curve $curve:expr;)?
        $(weights { $($weight_meta:tt)* })?
        $(#[$meta:meta])*
        pub struct $Type:ident { $($fields:tt)* }
    ) => {
        loss! {
            entry $loss($($input: $kind($values, $about)),+ $(, $labels: $label_kind($label_values, $label_about))?);
            card { $($card)* }
            train { $($train)* }
            $(curve $curve;)?
            $(weights { $($weight_meta)* })?
            $(#[$meta])*
            pub struct $Type { $($fields)* }
        }

        impl $Type {
            /// [`try_loss`](Self::try_loss); an error is a panic at the caller's line.
            #[track_caller]
            pub fn loss<'t>(&self, $($input: Var<'t>),+ $(, $labels: &[impl crate::Label])?) -> Var<'t> {
                crate::error::unwrap(self.try_loss($($input),+ $(, $labels)?))
            }
        }

        impl crate::by_name::ByName for $Type {
            fn read(options: &crate::by_name::Options) -> Self {
                $Type::read(options)
            }
            #[track_caller]
            fn call<'t>(
                &self,
                inputs: &crate::by_name::Given<'_, 't, impl crate::Label>,
            ) -> Result<Var<'t>, crate::by_name::CallError> {
                Ok(self.try_loss($(inputs.input(stringify!($input))?),+ $(, inputs.labels(stringify!($labels))?)?)?)
            }
        }
    };
    (
        entry $loss:ident($($input:ident: $kind:ident($values:ident, $about:literal)),+);
        card { $($card:tt)* }
        train { $($train:tt)* }
        $(curve $curve:expr;)?
        $(weights { $($(#[$weight_meta:meta])* $weight:ident: $weight_about:literal;)+ })?
        $(#[$meta:meta])*
        pub struct $Type:ident { $($fields:tt)* }
    ) => {
        pub(crate) const ENTRY: crate::by_name::Entry = crate::by_name::Entry {
            card: surprisal_tensor::Card { name: stringify!($loss), $($card)* },
            inputs: &[
                $(crate::by_name::$kind(stringify!($input), crate::by_name::Values::$values, $about),)+
                $($(crate::by_name::weights_input(stringify!($weight), $weight_about),)+)?
            ],
            options: $Type::OPTIONS,
            curve: loss!(@curve $($curve)?),
            training: loss!(@train $($train)*),
        };

        options! {
            $(weights { $($(#[$weight_meta])* $weight: $weight_about;)+ })?
            #[doc = concat!("The options of [`", stringify!($loss), "`](", stringify!($loss), "()); [`loss`](Self::loss) computes it with them.")]
            #[doc = ""]
            $(#[$meta])*
            pub struct $Type { $($fields)* }
        }
    };
    (@train $why:literal) => { crate::by_name::Training::No($why) };
    (@train $name:literal, $title:literal, $target:ident, [$($option:literal),*]) => {
        crate::by_name::Training::Rows {
            name: $name,
            title: $title,
            target: crate::by_name::Target::$target,
            options: &[$($option),*],
        }
    };
    (@curve) => { None };
    (@curve $curve:expr) => { Some($curve) };
}
