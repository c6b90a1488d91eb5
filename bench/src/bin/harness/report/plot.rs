//! Two panels: CPU time a request, and throughput against bare axum.

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::comparison::{kept_percent, of, pairs};
use crate::assembly::{ASSEMBLIES, Assembly, BARE, REDPANE};
use crate::compare::Series;
use crate::measure::Sample;
use crate::server::Stdout;
use crate::statistics::{Summary, number};

const WIDTH: u32 = 1_000;
const ROW: u32 = 34;
const NAMES: u32 = 330;
const OURS: RGBColor = RGBColor(0x1b, 0x7f, 0x5c);
const OTHERS: RGBColor = RGBColor(0x5b, 0x6b, 0x7f);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const FONT: (&str, i32) = ("sans-serif", 14);

/// One row of the plot.
struct Bar {
    title: String,
    color: RGBColor,
    cpu: Summary,
    kept: Summary,
}

/// The series with standard output to `/dev/null`, in which all take part.
///
/// # Errors
/// If nothing was measured in that series.
pub(super) fn draw(series: &[Series]) -> Result<String> {
    let series = series.iter().find(|series| series.stdout == Stdout::Null);
    let bars: Vec<Bar> =
        series.iter().flat_map(|series| ASSEMBLIES.iter().filter_map(|one| bar(one, &series.samples))).collect();
    anyhow::ensure!(
        !bars.is_empty(),
        "nothing to plot: results/compare.json has no series with standard output to /dev/null"
    );
    let mut svg = String::new();
    plot(&bars, &mut svg).map_err(|error| anyhow!("the plot cannot be drawn: {error}"))?;
    Ok(svg + "\n")
}

fn bar(assembly: &Assembly, samples: &[Sample]) -> Option<Bar> {
    Some(Bar {
        title: assembly.title.replace('`', ""),
        color: if assembly.id == REDPANE { OURS } else { OTHERS },
        cpu: Summary::of(of(assembly.id, samples).map(|sample| sample.cpu_per_request))?,
        kept: Summary::of(pairs(assembly.id, BARE, samples).map(|(sample, bare)| kept_percent(sample, bare)))?,
    })
}

fn plot(bars: &[Bar], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, (WIDTH, ROW * bars.len() as u32 + 80)).into_drawing_area();
    root.fill(&WHITE)?;
    let (names, panels) = root.split_horizontally(NAMES);
    let (left, right) = panels.split_horizontally((WIDTH - NAMES) / 2);

    let most = bars.iter().map(|bar| bar.cpu.maximum).fold(1.0, f64::max);
    let least = bars.iter().map(|bar| bar.cpu.minimum).fold(most, f64::min);
    let rows = bars.len() as f64;
    // From FastAPI to bare is a factor of dozens: only logarithms keep both readable.
    let mut times = ChartBuilder::on(&left);
    let mut times = titled(&mut times, "CPU µs a request (log scale)")
        .build_cartesian_2d((least * 0.8..most * 2.0).log_scale(), rows..0.0)?;
    times
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(5)
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .x_label_style(FONT)
        .x_label_formatter(&|value| number(*value, 0))
        .draw()?;
    let mut kept = ChartBuilder::on(&right);
    let mut kept = titled(&mut kept, "requests/s, % of bare axum").build_cartesian_2d(0.0..125.0, rows..0.0)?;
    kept.configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(6)
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .x_label_style(FONT)
        .x_label_formatter(&|value| number(*value, 0))
        .draw()?;

    let beside = FONT.into_text_style(&root).pos(Pos::new(HPos::Left, VPos::Center));
    let before = FONT.into_text_style(&root).pos(Pos::new(HPos::Right, VPos::Center));
    for (row, bar) in bars.iter().enumerate() {
        let middle = row as f64 + 0.5;
        let Bar { title, color, cpu, kept: share } = bar;
        let whisker = vec![(cpu.minimum, middle), (cpu.maximum, middle)];
        times.draw_series([PathElement::new(whisker, color.stroke_width(2))])?;
        times.draw_series([Circle::new((cpu.median, middle), 5, color.filled())])?;
        let label = number(cpu.median, 1);
        times.draw_series([Text::new(label, (cpu.maximum * 1.15, middle), beside.clone())])?;

        kept.draw_series([Rectangle::new(
            [(0.0, middle - 0.3), (share.median, middle + 0.3)],
            color.mix(0.8).filled(),
        )])?;
        let whisker = vec![(share.minimum, middle), (share.maximum, middle)];
        kept.draw_series([PathElement::new(whisker, BLACK.stroke_width(1))])?;
        let label = number(share.median, 0);
        kept.draw_series([Text::new(label, (share.maximum + 2.0, middle), beside.clone())])?;

        let (_, height) = times.backend_coord(&(cpu.median, middle));
        names.draw(&Text::new(title.as_str(), (NAMES as i32 - 6, height), before.clone()))?;
    }
    root.present()?;
    Ok(())
}

fn titled<'a, 'b, B: DrawingBackend>(
    chart: &'b mut ChartBuilder<'a, 'b, B>,
    title: &str,
) -> &'b mut ChartBuilder<'a, 'b, B> {
    chart.caption(title, FONT).margin(8).x_label_area_size(28)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::sample;

    #[test]
    fn every_assembly_that_was_measured_is_drawn() {
        let samples = vec![sample("bare", 0, 10.0, 100.0), sample("redpane", 0, 11.5, 92.0)];
        let svg = draw(&[Series { stdout: Stdout::Null, samples }]).unwrap();
        assert!(svg.starts_with("<svg"), "{svg}");
        for text in ["bare axum", "redpane", "11.5", "92"] {
            assert!(svg.contains(text), "{text} is missing in {svg}");
        }
        assert!(!svg.contains("FastAPI"), "{svg}");
    }

    #[test]
    fn nothing_measured_is_an_error() {
        assert!(draw(&[]).is_err());
    }
}
