"""Run by pytest with pytest-qgis in the Python of QGIS: styles, labels, map tips, relation, messages, a rendered map, the menu.

`LZGIS_IN_QGIS` in the environment is a JSON object with the paths `plugins`, `program`, `city`, `sites` and `out`.
"""

import json
import os
import sys
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize

GIVEN = json.loads(os.environ["LZGIS_IN_QGIS"])
sys.path.insert(0, GIVEN["plugins"])


class Said(QgsProcessingFeedback):
    """Notes what an algorithm says."""

    def __init__(self):
        super().__init__()
        self.info, self.warnings, self.errors, self.shares = [], [], [], []

    def pushInfo(self, text):
        self.info.append(text)

    def pushWarning(self, text):
        self.warnings.append(text)

    def reportError(self, text, fatalError=False):  # noqa: N803
        self.errors.append(text)

    def setProgress(self, share):
        self.shares.append(share)


@pytest.fixture(scope="module")
def screened(qgis_app, qgis_processing):
    """Screen the sites once; return the layers by table, and what was said."""
    import processing
    from lzgis_screening import classFactory, settings
    from qgis.core import QgsSettings

    QgsSettings().setValue("locale/userLocale", "zh_CN")
    settings.set_program(GIVEN["program"])
    plugin = classFactory(None)
    plugin.initProcessing()
    said = Said()
    sites = QgsVectorLayer(GIVEN["sites"], "sites", "ogr")
    given = {"SITES": sites, "CITY": GIVEN["city"], "AS_OF": "2026-11-21", "OUTPUT": GIVEN["out"]}
    processing.run("lzgis:screen", given, feedback=said)
    layers = {
        one.source().rpartition("=")[2]: one
        for one in QgsProject.instance().mapLayers().values()
        if "layername" in one.source()
    }
    yield layers, said
    QgsApplication.processingRegistry().removeProvider(plugin.provider)


def test_the_menu_and_the_dock_come_and_go(qgis_app, qgis_iface):
    from lzgis_screening import classFactory

    registry = QgsApplication.processingRegistry()
    plugin = classFactory(qgis_iface)
    plugin.initGui()
    assert registry.providerById("lzgis") is not None
    assert plugin.dock is not None and not plugin.dock.isVisible()
    assert len(plugin.actions) == 2
    plugin.unload()
    assert registry.providerById("lzgis") is None


def context_of(layer, feature):
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(feature)
    return context


def test_each_value_has_a_symbol_of_its_own_colour(screened):
    layers, _ = screened
    for name in ("sites", "conflicts"):
        layer = layers[name]
        renderer = layer.renderer()
        styled = {one.value(): one.symbol().color().name() for one in renderer.categories()}
        expression = QgsExpression(renderer.classAttribute())
        found = {expression.evaluate(context_of(layer, one)) for one in layer.getFeatures()}
        assert found and found <= set(styled), name
        assert len({styled[one] for one in styled}) == len(styled), name


def test_labels_say_something_on_the_surface_of_each_part(screened):
    layers, _ = screened
    for name in ("sites", "conflicts"):
        layer = layers[name]
        assert layer.labelsEnabled()
        label = layer.labeling().settings()
        expression = label.getLabelExpression()
        for feature in layer.getFeatures():
            assert expression.evaluate(context_of(layer, feature)), name
    assert layers["conflicts"].labeling().settings().labelPerPart


def test_a_map_tip_names_the_site(screened):
    layer = screened[0]["sites"]
    for feature in layer.getFeatures():
        shown = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context_of(layer, feature))
        assert feature["name"] in shown
        assert "[%" not in shown


def test_heads_of_columns_are_words_in_layers_and_tables(screened):
    for name, layer in screened[0].items():
        heads = [layer.attributeDisplayName(place) for place in range(layer.fields().count())]
        assert sum(any("\u4e00" <= sign <= "\u9fff" for sign in one) for one in heads) > len(heads) / 2, name


def test_the_relation_leads_from_a_site_to_its_findings(screened):
    layers, _ = screened
    relations = [
        one
        for one in QgsProject.instance().relationManager().relations().values()
        if one.referencingLayer() == layers["findings"] and one.referencedLayer() == layers["sites"]
    ]
    assert len(relations) == 1
    numbers = {one["id"]: len(list(relations[0].getRelatedFeatures(one))) for one in layers["sites"].getFeatures()}
    assert sum(numbers.values()) == layers["findings"].featureCount()
    assert min(numbers.values()) > 0


def test_the_log_has_the_messages_of_lzgis_and_its_progress(screened):
    _, said = screened
    text = "\n".join([*said.info, *said.warnings])
    assert "不等于合规" in text
    assert not said.errors
    assert said.shares == sorted(said.shares) and len(said.shares) > 1


def test_the_map_is_drawn_with_the_colours_of_the_styles(screened):
    layer = screened[0]["sites"]
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    box = layer.extent()
    box.scale(1.2)
    settings.setExtent(box)
    settings.setOutputSize(QSize(600, 300))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    picture.save(str(Path(GIVEN["out"]) / "sites.png"))
    seen = {picture.pixelColor(x, y).name() for x in range(0, 600) for y in range(0, 300)}
    # Outlines are drawn in the colour of the verdict, without blending.
    outlines = {one.symbol().symbolLayer(0).strokeColor().name() for one in layer.renderer().categories()}
    assert seen & outlines
    assert len(seen) > 10
