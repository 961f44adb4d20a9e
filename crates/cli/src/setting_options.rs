//! The settings of a run as options, from the one list of them.

use std::path::Path;

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use surprisal_run::{RunError, Setting, SettingError, Settings};

fn arg(setting: &'static Setting) -> Arg {
    let key = setting.key;
    let read = move |text: &str| {
        match Settings::default().set(key, text) {
            Ok(()) => Ok(text.to_string()),
            Err(SettingError::Value { error, .. }) => Err(error.to_string()), // clap names the option
            Err(error) => Err(error.to_string()),
        }
    };
    let arg = Arg::new(key).long(key.replace('_', "-")).value_name(setting.value).help(setting.full_help());
    let arg = arg
        .help_heading(setting.heading)
        .allow_negative_numbers(true)
        .allow_hyphen_values(key == "missing_words")
        .value_parser(read);
    let arg = match setting.alias() {
        Some(alias) => arg.visible_alias(alias),
        None => arg,
    };
    match setting.value {
        "BOOL" => arg.num_args(0..=1).default_missing_value("true"),
        _ => arg,
    }
}

macro_rules! options {
    ($(#[doc = $doc:literal])+ $name:ident, $is_one:expr) => {
        $(#[doc = $doc])+
        #[derive(Clone)]
        pub struct $name(pub Settings);

        impl $name {
            fn settings() -> impl Iterator<Item = &'static Setting> {
                let is_one: fn(&Setting) -> bool = $is_one;
                Settings::ALL.iter().filter(move |setting| is_one(setting))
            }
        }

        impl Args for $name {
            fn augment_args(command: Command) -> Command {
                command.args(Self::settings().map(arg))
            }
            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
                let mut options = $name(Settings::default());
                options.update_from_arg_matches(matches)?;
                Ok(options)
            }
            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
                for setting in Self::settings() {
                    if let Some(text) = matches.get_one::<String>(setting.key) {
                        let read = self.0.set(setting.key, text);
                        read.map_err(|error| Error::raw(clap::error::ErrorKind::ValueValidation, error))?;
                    }
                }
                Ok(())
            }
        }
    };
}

options! {
    /// Every setting of a run that is given as an option.
    SettingOptions, |_| true
}
impl SettingOptions {
    /// The settings of a file, overridden by the options.
    pub fn over(self, file: Option<&Path>) -> Result<Settings, RunError> {
        Ok(match file {
            Some(path) => Settings::read(path)?.and(&self.0),
            None => self.0,
        })
    }
}

options! {
    /// The data, how they are read, and the settings of an untrained net.
    DataOptions, |setting| setting.heading == "Data" || ["hidden", "activation", "init", "seed"].contains(&setting.key)
}
options! {
    /// The data and how they are read: for a saved net.
    SourceOptions, |setting| {
        let keys = ["data", "target", "delimiter", "header", "decimal", "thousands", "missing_words", "seed"];
        keys.contains(&setting.key)
    }
}
